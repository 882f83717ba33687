import { flatten, type Node } from './tree.ts';

/** A script for zsh's \`fpath\`, or for \`source <(vetch completion zsh)\`. */
export function zshCompletion(root: Node): string {
  const functions = flatten(root).map(zshFunction).join('\n');
  return `#compdef vetch
# zsh completion of vetch
${functions}
if [ "$funcstack[1]" = "_vetch" ]; then
  _vetch "$@"
else
  compdef _vetch vetch
fi
`;
}

function zshFunction({ path, children, flags }: Node): string {
  const name = functionName(path);
  const specs = flags.map(({ name: flag, description, takesValue }) =>
    quoted(`*${flag}[${escaped(description)}]${takesValue ? ':value:_files' : ''}`),
  );
  if (children.length === 0) {
    return `${name}() {\n  _arguments ${[...specs, quoted('*:argument:_files')].join(' ')}\n}`;
  }
  const entries = children.map((child) => quoted(`${child.path.at(-1)}:${escaped(child.description)}`)).join(' ');
  const branches = children.map((child) => `        ${child.path.at(-1)}) ${functionName(child.path)} ;;`).join('\n');
  return `${name}() {
  local line state
  _arguments -C ${specs.join(' ')} '1: :->command' '*::argument:->rest'
  case $state in
    command)
      local -a commands=(${entries})
      _describe command commands
      ;;
    rest)
      case $line[1] in
${branches}
      esac
      ;;
  esac
}`;
}

function functionName(path: readonly string[]): string {
  return ['_vetch', ...path].join('_');
}

function escaped(text: string): string {
  return text.replace(/[\\[\]:]/g, '\\$&');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

import { flatten, type Node } from './tree.ts';

/** A script for `source <(vetch completion bash)`. */
export function bashCompletion(root: Node): string {
  const cases = flatten(root)
    .map(({ path, children, flags }) => {
      const words = [...children.map((child) => child.path.at(-1)), ...flags.map((flag) => flag.name)].join(' ');
      return `    ${JSON.stringify(path.join(' '))}) words="${words}" ;;`;
    })
    .join('\n');
  const withValue = [...new Set(valueFlags(root))].join('|');
  const commands = flatten(root)
    .slice(1)
    .map(({ path }) => JSON.stringify(path.join(' ')))
    .join('|');
  return `# bash completion of vetch
_vetch() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path="" words="" skip="" word next
  COMPREPLY=()
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    if [ -n "$skip" ]; then skip=""; continue; fi
    case "$word" in
      ${withValue}) skip=1; continue ;;
      -*) continue ;;
    esac
    next="\${path:+$path }$word"
    case "$next" in
      ${commands}) path="$next" ;;
    esac
  done
  if [ -n "$skip" ]; then
    compopt -o default 2>/dev/null
    return
  fi
  case "$path" in
${cases}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _vetch vetch
`;
}

function valueFlags(root: Node): string[] {
  return flatten(root).flatMap(({ flags }) => flags.filter((flag) => flag.takesValue).map((flag) => flag.name));
}

import { flatten, type Node } from './tree.ts';

/** A script for fish's completions directory, or for \`vetch completion fish | source\`. */
export function fishCompletion(root: Node): string {
  const lines = flatten(root).flatMap(({ path, children, flags }) => {
    const names = children.map((child) => child.path.at(-1)).join(' ');
    const condition = `__vetch_at ${quoted(path.join(' '))} ${quoted(names)}`;
    return [
      ...children.map((child) => line(condition, `-f -a ${child.path.at(-1)}`, child.description)),
      ...flags.map((flag) =>
        line(condition, `-l ${flag.name.slice(2)}${flag.takesValue ? ' -r' : ''}`, flag.description),
      ),
    ];
  });
  return `# fish completion of vetch
function __vetch_at --description 'whether the words so far lead to this command, and to none of its children'
  set -l words (commandline -opc)
  set -e words[1]
  set -l plain (string match -v -- '-*' $words)
  set -l wanted (string split -n ' ' -- $argv[1])
  set -l depth (count $wanted)
  test (count $plain) -ge $depth; or return 1
  for i in (seq $depth)
    test $plain[$i] = $wanted[$i]; or return 1
  end
  set -l next (math $depth + 1)
  if test (count $plain) -ge $next
    contains -- $plain[$next] (string split -n ' ' -- $argv[2]); and return 1
  end
  return 0
end
${lines.join('\n')}
`;
}

function line(condition: string, what: string, description: string): string {
  return `complete -c vetch -n ${quoted(condition)} ${what} -d ${quoted(description)}`;
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}

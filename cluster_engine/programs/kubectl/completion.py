"""`kubectl completion`: a script for another shell, which asks `kubectl __complete` whenever somebody presses Tab.

    source <(kubectl completion bash)

The workstation's own shell needs none: it asks by itself (`shell/completion.py`). The real one's scripts are longer,
for they also draw descriptions and mend what old shells do with colons.

Modelled on kubectl/pkg/cmd/completion and cobra's scripts.
"""

from cluster_engine.programs.kubectl.errors import CommandError
from cluster_engine.programs.kubectl.session import Session

HINT = "\nSee 'kubectl completion -h' for help and examples"
BASH = """# bash completion for kubectl
__start_kubectl() {
    local line words directive
    words=("${COMP_WORDS[@]:1:COMP_CWORD}")
    mapfile -t line < <(kubectl __complete "${words[@]}" 2>/dev/null)
    directive="${line[-1]#:}"
    unset "line[-1]"
    COMPREPLY=("${line[@]%%$'\\t'*}")
    if [ "$directive" = 0 ] && [ "${#COMPREPLY[@]}" = 0 ]; then
        COMPREPLY=($(compgen -f -- "${words[-1]}"))
    fi
}
complete -o default -F __start_kubectl kubectl
"""
ZSH = """#compdef kubectl
compdef _kubectl kubectl
_kubectl() {
    local -a found
    found=("${(@f)$(kubectl __complete "${words[@]:1}" 2>/dev/null)}")
    compadd -- "${(@)${(@)found[1,-2]}%%$'\\t'*}"
}
"""
FISH = """# fish completion for kubectl
function __kubectl_complete
    set -l words (commandline -opc) (commandline -ct)
    kubectl __complete $words[2..-1] 2>/dev/null | head -n -1
end
complete -c kubectl -f -a '(__kubectl_complete)'
"""
POWERSHELL = """# powershell completion for kubectl
Register-ArgumentCompleter -CommandName kubectl -Native -ScriptBlock {
    param($word, $ast)
    $words = $ast.CommandElements | Select-Object -Skip 1 | ForEach-Object { "$_" }
    kubectl __complete @words 2>$null | Select-Object -SkipLast 1 | ForEach-Object { ($_ -split "`t")[0] }
}
"""
SCRIPTS = {"bash": BASH, "fish": FISH, "powershell": POWERSHELL, "zsh": ZSH}


async def run(session: Session, arguments: list[str]) -> int:
    """Print a shell's script."""
    if not arguments:
        raise CommandError(f"Shell not specified.{HINT}")
    if len(arguments) > 1:
        raise CommandError(f"Too many arguments. Expected only the shell type.{HINT}")
    script = SCRIPTS.get(arguments[0])
    if script is None:
        raise CommandError(f'Unsupported shell type "{arguments[0]}".{HINT}')
    session.out(script)
    return 0

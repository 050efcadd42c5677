using System.CommandLine;

namespace DeRa.Cli;

/// <summary><c>dera completion</c>: a script by which a shell asks the program what may stand where the cursor is.</summary>
internal static class CompletionCommand
{
    private static readonly Dictionary<string, string> s_scripts = new(StringComparer.Ordinal)
    {
        ["bash"] = """
            _dera_complete() {
                local IFS=$'\n'
                COMPREPLY=($(compgen -W "$(dera "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
            }
            complete -o default -F _dera_complete dera
            """,
        ["zsh"] = """
            #compdef dera
            _dera() {
                local -a found
                found=("${(@f)$(dera "[suggest:${CURSOR}]" "${BUFFER}" 2>/dev/null)}")
                compadd -a found || _files
            }
            compdef _dera dera
            """,
        ["fish"] = """
            complete -c dera -a '(dera "[suggest:"(commandline -C)"]" (commandline -cp) 2>/dev/null)'
            """,
        ["pwsh"] = """
            Register-ArgumentCompleter -Native -CommandName dera -ScriptBlock {
                param($word, $line, $position)
                dera "[suggest:$position]" "$line" 2>$null | Where-Object { $_ -like "$word*" } | ForEach-Object {
                    [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
                }
            }
            """,
    };

    private static readonly Argument<string> s_shell = new("shell") { Description = "bash, zsh, fish or pwsh" };

    public static Command Create()
    {
        s_shell.CompletionSources.Add([.. s_scripts.Keys]);
        var command = new Command("completion", "Print a script that completes this program's command lines. Read it where the shell "
            + "starts: source <(dera completion bash), the same for zsh, dera completion fish | source, or "
            + "dera completion pwsh | Out-String | Invoke-Expression")
        {
            s_shell,
        };
        command.SetAction(parsed => parsed.InvocationConfiguration.Output.WriteLine(Script(parsed.GetRequiredValue(s_shell))));
        return command;
    }

    private static string Script(string shell) => s_scripts.TryGetValue(shell, out var script) ? script
        : throw new FormatException($"'{shell}' is no shell that is known here; it must be bash, zsh, fish or pwsh.");
}

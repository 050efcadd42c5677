using System.CommandLine;
using DeRa.Hosting.Security;

namespace DeRa.Cli;

/// <summary><c>dera key</c>: makes an API key and the line by which a server knows it.</summary>
internal static class KeyCommand
{
    private static readonly Argument<string> s_name = new("name")
    {
        Description = "Whose key it is; 1 to 64 letters, digits, '.', '_' or '-'; servers log it",
    };

    public static Command Create()
    {
        var command = new Command("key", "Make an API key. The key goes to the error stream, once: it is kept nowhere. The line for the "
            + "server's file of keys (--api-keys) goes to the output: 'dera key alice >> keys'. It may go on with the key's limits: "
            + "rate=60/min concurrent=4.")
        {
            s_name,
        };
        command.SetAction((parsed, _) => RunAsync(parsed.GetRequiredValue(s_name), parsed.InvocationConfiguration));
        return command;
    }

    private static async Task<int> RunAsync(string name, InvocationConfiguration console)
    {
        if (!KeyHash.IsName(name))
            throw new FormatException($"'{name}' cannot name a key: a name must be 1 to 64 letters, digits, '.', '_' or '-'.");
        var key = KeyHash.NewKey();
        await console.Error.WriteLineAsync(key);
        await console.Output.WriteLineAsync($"{name} {KeyHash.Text(KeyHash.Of(key))}");
        return 0;
    }
}

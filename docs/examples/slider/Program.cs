using System.Globalization;
using DeRa.Client;
using DeRa.Client.Alignment;
using Microsoft.Extensions.AI;

// Arrow keys move the strength while the answer streams: what follows is written at it. The prompt may be given; Escape stops.
var server = new DeRaClient(new Uri(Environment.GetEnvironmentVariable("DERA_URL") ?? "http://localhost:8080"));
var prompt = args.Length > 0 ? string.Join(' ', args) : "Write a story about a dog";
var options = new ChatOptions { AlignmentStrength = 0, Seed = 1, MaxOutputTokens = 400 };
double? shown = null;
await foreach (var update in server.GetChatClient().GetStreamingResponseAsync(prompt, options))
{
    if (update.AlignmentStrength is { } strength && strength != shown && update.Text.Length > 0)
    {
        Console.Write(string.Create(CultureInfo.InvariantCulture, $" [λ = {strength}] "));
        shown = strength;
    }
    Console.Write(update.Text);
    if (Console.IsInputRedirected || !Console.KeyAvailable || update.GenerationId is not { } id) continue;
    var moved = Console.ReadKey(intercept: true).Key switch
    {
        ConsoleKey.UpArrow or ConsoleKey.RightArrow => 0.25,
        ConsoleKey.DownArrow or ConsoleKey.LeftArrow => -0.25,
        ConsoleKey.Escape => double.NaN,
        _ => 0,
    };
    if (double.IsNaN(moved)) await server.StopAsync(id);
    else if (moved != 0) await server.ChangeStrengthAsync(id, (shown ?? 0) + moved);
}
Console.WriteLine();

using DeRa.Serving.Requests;
using DeRa.Text.Chat;

namespace DeRa.Serving.Sweeps;

/// <summary>Goes on with conversations of several turns, each with the model's own answers.</summary>
/// <param name="endpoint">What generates.</param>
/// <param name="failed">Receives why a turn has no answer; any thread.</param>
internal sealed class FurtherTurns(ISweepEndpoint endpoint, Action<string> failed)
{
    private const int AtOnce = 8;

    /// <summary>
    /// The seed with which a request for one choice gives a sample's further answers; of the first sample the prompt's own.
    /// </summary>
    /// <param name="seed">The prompt's.</param>
    /// <param name="sample">Which sample, from 0.</param>
    public static long Seed(long seed, int sample) => seed + ((long)sample << 32);

    /// <summary>Answers a prompt's further turns.</summary>
    /// <returns>For each first answer its further ones; null = one did not fit into the context.</returns>
    public async Task<IReadOnlyList<string?>[]> RespondAsync(
        SweepPrompt prompt, IReadOnlyList<FirstResponse> firsts, CancellationToken cancellation)
    {
        var answers = new IReadOnlyList<string?>[firsts.Count];
        Array.Fill(answers, []);
        if (prompt is not { Input: ChatPrompt chat, FurtherTurns.Count: > 0 }) return answers;
        var options = new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellation };
        await Parallel.ForAsync(0, firsts.Count, options, async (i, stop) =>
            answers[i] = await RespondAsync(prompt, chat, firsts[i], stop));
        return answers;
    }

    private async Task<IReadOnlyList<string?>> RespondAsync(
        SweepPrompt prompt, ChatPrompt chat, FirstResponse first, CancellationToken cancellation)
    {
        var (answers, messages) = (new string?[prompt.FurtherTurns.Count], chat.Messages.ToList());
        messages.Add(new ChatMessage("assistant", first.Text));
        foreach (var (turn, question) in prompt.FurtherTurns.Index())
        {
            messages.Add(new ChatMessage("user", question));
            try
            {
                var next = prompt with { Input = new ChatPrompt([.. messages]), Text = question };
                var text = (await endpoint.GenerateAsync(next, first.Seed, [first.Strength], 1, cancellation))[0].Text;
                answers[turn] = text;
                messages.Add(new ChatMessage("assistant", text));
            }
            catch (InvalidRequestException wrong)
            {
                failed($"{prompt.Place}, turn {turn + 2}: {wrong.Message}");
                break;
            }
        }
        return answers;
    }
}

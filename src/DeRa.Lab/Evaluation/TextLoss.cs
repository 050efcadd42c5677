using DeRa.Lab.Data;
using DeRa.Lab.Models;
using DeRa.Text;
using static TorchSharp.torch;

namespace DeRa.Lab.Evaluation;

/// <summary>How a model predicts one text after its prompt.</summary>
/// <param name="Nats">Negative log-probability of the tokens counted.</param>
/// <param name="Characters">UTF-16 characters of these tokens.</param>
/// <param name="Tokens">Their number: those that fit the context, without the end token.</param>
internal sealed record TextLoss(double Nats, long Characters, long Tokens)
{
    /// <summary>Measures one text. A text that no token precedes counts from its second token on.</summary>
    public static TextLoss Of(TrainableDecoder model, ITokenizer tokenizer, Document document)
    {
        var prompt = tokenizer.Encode(document.Prompt);
        var all = (int[])[.. prompt, .. tokenizer.Encode(document.Text, addSpecialTokens: false)];
        var tokens = all.Take(model.Config.ContextTokens).ToArray();
        var first = Math.Max(1, prompt.Count);
        if (tokens.Length <= first) return new TextLoss(0, 0, 0);
        using var scope = NewDisposeScope();
        using var gradientsOff = no_grad();
        var logProbs = model.LogProbs(tensor(tokens.Select(token => (long)token).ToArray(), device: model.Device).unsqueeze(0));
        var nats = -logProbs.narrow(1, first - 1, tokens.Length - first).to(ScalarType.Float64).sum().item<double>();
        return new TextLoss(nats, tokenizer.Decode(tokens.Skip(first)).Length, tokens.Length - first);
    }
}

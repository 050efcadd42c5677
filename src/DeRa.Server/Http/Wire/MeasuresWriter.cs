using System.Text.Json;
using DeRa.Engine.Requests;
using DeRa.Serving.Streaming;

namespace DeRa.Server.Http.Wire;

/// <summary>
/// Writes the measures of tokens and of choices. A pair of several aligned models has objects by their names where another has numbers and
/// lists, under names of their own: clients with types take no field that is either. What is not finite is null, but for log-probabilities.
/// </summary>
/// <param name="aligned">The aligned models' names.</param>
/// <param name="beta">By what implicit rewards are multiplied.</param>
/// <param name="texts">Formats tokens.</param>
internal sealed class MeasuresWriter(IReadOnlyList<string> aligned, double beta, TokenTexts texts)
{
    /// <summary>Writes <c>measures</c> of a choice.</summary>
    /// <param name="json">Where to.</param>
    /// <param name="tokens">The tokens that are told; those of a prompt have none.</param>
    /// <param name="sums">The choice's; null where it goes on.</param>
    public void Write(Utf8JsonWriter json, IReadOnlyList<OutputToken> tokens, ChoiceMeasures? sums)
    {
        json.WriteStartObject("measures"u8);
        json.WriteStartArray("tokens"u8);
        foreach (var token in tokens)
            if (token.Measures is { } measures) Write(json, measures);
        json.WriteEndArray();
        if (sums is not null) Write(json, sums);
        json.WriteEndObject();
    }

    private void Write(Utf8JsonWriter json, TokenMeasures token)
    {
        json.WriteStartObject();
        json.WriteString("token"u8, texts.Format(token.Token));
        json.WriteNumber("id"u8, token.Token);
        json.WriteNumber("logprob"u8, TokenTexts.Finite(token.LogProb));
        json.WriteNumber("logprob_reference"u8, TokenTexts.Finite(token.Models[0].LogProb));
        WriteAligned(json, "logprob_aligned", "logprobs_aligned",
            (name, model) => json.WriteNumber(name, TokenTexts.Finite(token.Models[model].LogProb)));
        WriteNumber(json, "kl_to_reference", token.Models[0].Divergence);
        WriteAligned(json, "kl_to_aligned", "kls_to_aligned", (name, model) => WriteNumber(json, name, token.Models[model].Divergence));
        WriteAligned(json, "implicit_reward", "implicit_rewards",
            (name, model) => WriteNumber(json, name, beta * token.ImplicitReward(model)));
        WriteNumber(json, "log_z", token.LogZ);
        if (token.Top.Count > 0)
        {
            WriteTop(json, "top_reference", token.Models[0].Top);
            WriteTop(json, "top_mixture", token.Top);
            WriteAligned(json, "top_aligned", "tops_aligned", (name, model) => WriteTop(json, name, token.Models[model].Top));
        }
        json.WriteEndObject();
    }

    private void Write(Utf8JsonWriter json, ChoiceMeasures sums)
    {
        ModelSums Of(int model) => sums.Models.Count == 0 ? new ModelSums(0, 0, 0) : sums.Models[model];
        WriteNumber(json, "logprob", sums.LogProb);
        WriteNumber(json, "logprob_reference", Of(0).LogProb);
        WriteAligned(json, "logprob_aligned", "logprobs_aligned", (name, model) => WriteNumber(json, name, Of(model).LogProb));
        WriteNumber(json, "kl_sequence", Of(0).Divergence);
        WriteAligned(json, "kl_to_aligned", "kls_to_aligned", (name, model) => WriteNumber(json, name, Of(model).Divergence));
        WriteAligned(json, "implicit_reward", "implicit_rewards",
            (name, model) => WriteNumber(json, name, beta * Of(model).ImplicitReward));
        WriteNumber(json, "log_z", sums.LogZ);
        WriteNumber(json, "log_weight", sums.LogWeight ?? double.NaN);
        if (sums.WeightFault is { } fault) json.WriteString("log_weight_undefined"u8, fault);
    }

    /// <summary>Writes one value for each aligned model: alone under one name, several in an object under another.</summary>
    private void WriteAligned(Utf8JsonWriter json, string one, string several, Action<string, int> write)
    {
        if (aligned.Count == 1)
        {
            write(one, 1);
            return;
        }
        json.WriteStartObject(several);
        for (var i = 0; i < aligned.Count; i++) write(aligned[i], i + 1);
        json.WriteEndObject();
    }

    private void WriteTop(Utf8JsonWriter json, string name, IReadOnlyList<(int Token, float LogProb)> top)
    {
        json.WriteStartArray(name);
        foreach (var (token, logProb) in top)
        {
            json.WriteStartObject();
            json.WriteString("token"u8, texts.Format(token));
            json.WriteNumber("id"u8, token);
            json.WriteNumber("logprob"u8, TokenTexts.Finite(logProb));
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteNumber(Utf8JsonWriter json, string name, double value)
    {
        if (double.IsFinite(value)) json.WriteNumber(name, value);
        else json.WriteNull(name);
    }
}

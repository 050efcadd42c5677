using System.ClientModel;
using DeRa.Client.Http;
using Google.Rpc;
using Grpc.Core;

namespace DeRa.Client;

/// <summary>What a server said when it refused, whichever transport it came by.</summary>
/// <param name="Message">What is wrong, with the range that is allowed.</param>
/// <param name="Field">The field that is wrong, by its name in HTTP's API; null where it is none.</param>
/// <param name="RetryAfter">How long the server asks to wait; null where it names no time.</param>
public sealed record DeRaError(string Message, string? Field, TimeSpan? RetryAfter)
{
    /// <summary>Where gRPC's messages have fields that HTTP has at its top.</summary>
    private static readonly string[] s_holders = ["start.", "options."];

    /// <summary>What an exception of a client's says; null where it is no refusal of a server.</summary>
    /// <param name="exception">What was thrown: a <see cref="ClientResultException"/> or an <see cref="RpcException"/>.</param>
    public static DeRaError? Of(Exception exception) => exception switch
    {
        ClientResultException http => OfHttp(http),
        RpcException grpc => OfGrpc(grpc),
        _ => null,
    };

    private static DeRaError? OfHttp(ClientResultException exception)
    {
        if (exception.GetRawResponse() is not { } response || HttpError.Read(response.Content) is not var (message, field)) return null;
        var wait = response.Headers.TryGetValue("Retry-After", out var text) && int.TryParse(text, out var seconds)
            ? TimeSpan.FromSeconds(seconds) : (TimeSpan?)null;
        return new DeRaError(message, field, wait);
    }

    private static DeRaError OfGrpc(RpcException exception)
    {
        var details = exception.GetRpcStatus();
        var violation = details?.GetDetail<BadRequest>()?.FieldViolations.FirstOrDefault();
        return new DeRaError(violation?.Description ?? exception.Status.Detail,
            violation is null ? null : s_holders.Aggregate(violation.Field, WithoutHolder),
            details?.GetDetail<RetryInfo>()?.RetryDelay?.ToTimeSpan());
    }

    private static string WithoutHolder(string field, string holder) =>
        field.StartsWith(holder, StringComparison.Ordinal) ? field[holder.Length..] : field;
}

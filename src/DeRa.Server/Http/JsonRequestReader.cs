using System.Buffers;
using System.Text.Json;
using DeRa.Hosting.Security;
using DeRa.Server.Http.Wire;
using DeRa.Server.Options;
using DeRa.Server.Uploads;

namespace DeRa.Server.Http;

/// <summary>
/// What every endpoint that takes JSON does first: it reads the whole body, counts the request among those of its client, and
/// only then parses and encodes it.
/// </summary>
internal sealed class JsonRequestReader(RequestLimiting limits, Encoders encoders, ServerOptions options)
{
    /// <summary>Reads a request that does not count among its client's, and whose body is small.</summary>
    /// <param name="context">The request.</param>
    /// <param name="read">Makes of the body's object what the endpoint goes on with.</param>
    public async Task<T> ReadUncountedAsync<T>(HttpContext context, Func<JsonElement, T> read)
    {
        var body = await RequestBody.ReadAsync(context.Request, context.RequestAborted);
        try
        {
            return await encoders.RunAsync(body.Length, () => Parsed(body, read), context.RequestAborted);
        }
        finally
        {
            context.Request.BodyReader.AdvanceTo(body.End);
        }
    }

    private T Parsed<T>(ReadOnlySequence<byte> body, Func<JsonElement, T> read)
    {
        using var document = RequestBody.Parse(body, options.Body.MaxJsonDepth);
        return read(document.RootElement);
    }

    /// <summary>Reads a request.</summary>
    /// <param name="context">The request.</param>
    /// <param name="read">
    /// Makes of the body's object what the endpoint goes on with; it may take long: for long bodies it runs on a thread of its own.
    /// </param>
    /// <returns>That; to be disposed at the request's end.</returns>
    public async Task<AdmittedRequest<T>> ReadAsync<T>(HttpContext context, Func<JsonElement, T> read)
    {
        var body = await RequestBody.ReadAsync(context.Request, context.RequestAborted);
        try
        {
            var place = limits.Enter(context);
            try
            {
                return new AdmittedRequest<T>(
                    await encoders.RunAsync(body.Length, () => Parsed(body, read), context.RequestAborted), place);
            }
            catch
            {
                place.Dispose();
                throw;
            }
        }
        finally
        {
            // Until here it counts as held.
            context.Request.BodyReader.AdvanceTo(body.End);
        }
    }
}

/// <summary>A request that is read and counts among those of its client until it is disposed.</summary>
/// <param name="Value">What was made of it.</param>
/// <param name="Place">Its place among its client's.</param>
internal sealed record AdmittedRequest<T>(T Value, IDisposable Place) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose() => Place.Dispose();
}

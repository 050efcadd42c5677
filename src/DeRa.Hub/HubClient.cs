using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Reflection;

namespace DeRa.Hub;

/// <summary>
/// Asks the Hub. Redirects are followed by hand, since the token, or the endpoint's password, must go with those that stay on
/// the Hub's host and with no others. Any thread.
/// </summary>
internal sealed class HubClient : IDisposable
{
    private const int MostRedirects = 10, PieceBytes = 1 << 16;
    private static readonly ProductInfoHeaderValue UserAgent =
        new("dera", Assembly.GetExecutingAssembly().GetName().Version?.ToString(3));

    private readonly HubOptions _options;
    private readonly TimeProvider _time;
    private readonly HubRefusal _refusal;
    private readonly HttpClient _http;

    public HubClient(HubOptions options, TimeProvider time)
    {
        (_options, _time) = (options, time);
        _refusal = new HubRefusal(options, time);
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, ConnectTimeout = TimeSpan.FromSeconds(15) };
        _http = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>What a model's repository holds.</summary>
    /// <exception cref="HubException">There is no such model or revision, or the Hub does not respond.</exception>
    public async Task<RepositoryListing> ListAsync(HubName name, CancellationToken cancellation)
    {
        var address = Address($"api/models/{name.Repository}/revision/{Uri.EscapeDataString(name.Revision)}?blobs=true");
        using var guard = new StallGuard(name, _time, cancellation);
        using var response = await SendAsync(name, HttpMethod.Get, address, offset: 0, guard);
        using var json = new MemoryStream();
        await using var body = await guard.WaitAsync(address, async token => await ReadAsync(response, token));
        var piece = new byte[PieceBytes];
        while (await guard.WaitAsync(address, token => body.ReadAsync(piece, token)) is > 0 and var read) json.Write(piece, 0, read);
        return RepositoryListing.Read(json.GetBuffer().AsSpan(0, (int)json.Length))
            ?? throw new HubException($"'{name}': {address.Host} did not respond with a listing of the model; is HF_ENDPOINT right?");
    }

    /// <summary>Asks for what the listing leaves out of a file: its length, its checksum, the commit.</summary>
    /// <param name="name">The model.</param>
    /// <param name="revision">The commit, or what stands for it.</param>
    /// <param name="path">The file.</param>
    /// <param name="listed">What the listing says of it.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="HubException">
    /// The file is not there, the Hub does not respond, or it reports neither length nor checksum.
    /// </exception>
    public async Task<FileFacts> DescribeAsync(
        HubName name, string revision, string path, FileFacts listed, CancellationToken cancellation)
    {
        var address = FileAddress(name, revision, path);
        using var guard = new StallGuard(name, _time, cancellation);
        var facts = listed;
        try
        {
            facts = (await AskAsync(name, HttpMethod.Head, address, guard)).Or(listed);
        }
        // Not every server can be asked so; what is wrong with the file itself, the other way shows too.
        catch (HubException exception) when (!exception.MayPass)
        {
        }
        if (!facts.Suffice) facts = (await AskAsync(name, HttpMethod.Get, address, guard)).Or(facts);
        return facts.Suffice ? facts : throw new HubException(
            $"'{name}': {_options.Endpoint.Host} reports neither length nor checksum of {path}: a download could not be checked.");
    }

    /// <summary>Opens a file's content from an offset on; the caller reads it under the same guard.</summary>
    /// <exception cref="HubException">The Hub or its storage does not give it.</exception>
    public Task<HttpResponseMessage> OpenAsync(HubName name, string revision, string path, long offset, StallGuard guard) =>
        SendAsync(name, HttpMethod.Get, FileAddress(name, revision, path), offset, guard);

    /// <summary>The content of a response, also where it is compressed though it was not to be.</summary>
    /// <exception cref="HubException">It is compressed in a way that is not known.</exception>
    public static async Task<Stream> ReadAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        var content = await response.Content.ReadAsStreamAsync(cancellation);
        foreach (var encoding in response.Content.Headers.ContentEncoding.Reverse())
            content = encoding.ToLowerInvariant() switch
            {
                "gzip" or "x-gzip" => new GZipStream(content, CompressionMode.Decompress),
                "deflate" => new ZLibStream(content, CompressionMode.Decompress),
                "br" => new BrotliStream(content, CompressionMode.Decompress),
                "identity" => content,
                _ => throw new HubException($"{response.RequestMessage?.RequestUri?.Host} responds with the content encoding "
                    + $"'{encoding}', which was not asked for and is not known."),
            };
        return content;
    }

    public void Dispose() => _http.Dispose();

    private Uri FileAddress(HubName name, string revision, string path) =>
        Address($"{name.Repository}/resolve/{Uri.EscapeDataString(revision)}/{Uri.EscapeDataString(path)}");

    private Uri Address(string path) => new($"{_options.Endpoint.AbsoluteUri.TrimEnd('/')}/{path}");

    /// <summary>What the headers of the response say, and of the redirects to it.</summary>
    private async Task<FileFacts> AskAsync(HubName name, HttpMethod method, Uri address, StallGuard guard)
    {
        var facts = new FileFacts();
        try
        {
            using var response = await SendAsync(name, method, address, offset: 0, guard, Suffices);
            return facts;
        }
        // Storage to which a redirect leads need not respond to such a request: its address is signed for another one.
        catch (HubException) when (facts.Suffice)
        {
            return facts;
        }

        bool Suffices(HttpResponseMessage response)
        {
            var isHub = response.Headers.Contains("X-Repo-Commit") || IsEndpoint(response.RequestMessage!.RequestUri!);
            facts = facts.Or(FileFacts.Of(response, isHub));
            return facts.AreComplete;
        }
    }

    /// <param name="name">The model, for messages.</param>
    /// <param name="method">GET or HEAD.</param>
    /// <param name="address">Where to ask.</param>
    /// <param name="offset">From which byte on.</param>
    /// <param name="guard">Limits silence.</param>
    /// <param name="suffices">Shown each response; true where a redirect need not be followed.</param>
    private async Task<HttpResponseMessage> SendAsync(HubName name, HttpMethod method, Uri address, long offset, StallGuard guard,
        Func<HttpResponseMessage, bool>? suffices = null)
    {
        for (var redirects = 0; redirects <= MostRedirects; redirects++)
        {
            var response = await guard.WaitAsync(address, async token =>
                await _http.SendAsync(Request(method, address, offset), HttpCompletionOption.ResponseHeadersRead, token));
            var target = Target(response, address);
            if (suffices?.Invoke(response) == true || target is null) return Checked(name, response, address);
            response.Dispose();
            if (!MayFollow(address, target))
                throw new HubException($"'{name}': {address.Host} redirects to {target.Scheme}://{target.Host}, which is not followed: "
                    + "only https may follow on https, and nothing but http and https is asked.");
            address = target;
        }
        throw new HubException($"'{name}': {address.Host} redirects more than {MostRedirects} times.");
    }

    private HttpRequestMessage Request(HttpMethod method, Uri address, long offset)
    {
        var request = new HttpRequestMessage(method, address);
        request.Headers.UserAgent.Add(UserAgent);
        // A compressed response would have another length and could not be resumed.
        request.Headers.AcceptEncoding.Add(new StringWithQualityHeaderValue("identity"));
        if (offset > 0) request.Headers.Range = new RangeHeaderValue(offset, null);
        if (IsEndpoint(address)) request.Headers.Authorization = _options.Authorization;
        return request;
    }

    private static Uri? Target(HttpResponseMessage response, Uri address) =>
        response.StatusCode is HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.SeeOther
            or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect && response.Headers.Location is { } location
            && Uri.TryCreate(address, location, out var target)
            ? target
            : null;

    /// <summary>Whether a redirect leads nowhere where what comes could be changed on its way.</summary>
    internal static bool MayFollow(Uri address, Uri target) =>
        target.Scheme == Uri.UriSchemeHttps || (target.Scheme == Uri.UriSchemeHttp && address.Scheme == Uri.UriSchemeHttp);

    private HttpResponseMessage Checked(HubName name, HttpResponseMessage response, Uri address)
    {
        if (response.IsSuccessStatusCode || Target(response, address) is not null
            || response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable) return response;
        using (response) throw _refusal.Of(name, response, IsEndpoint(address));
    }

    private bool IsEndpoint(Uri address) => IsSame(_options.Endpoint, address);

    /// <summary>Whether an address is the endpoint's, so that it may know what the endpoint knows; https in place of http too.</summary>
    internal static bool IsSame(Uri endpoint, Uri address)
    {
        return Same(UriComponents.SchemeAndServer) || (Same(UriComponents.Host) && endpoint.Scheme == Uri.UriSchemeHttp
            && address.Scheme == Uri.UriSchemeHttps && endpoint.IsDefaultPort && address.IsDefaultPort);

        bool Same(UriComponents parts) =>
            Uri.Compare(address, endpoint, parts, UriFormat.SafeUnescaped, StringComparison.OrdinalIgnoreCase) == 0;
    }
}

using System.Net;
using System.Net.Http.Headers;
using System.Reflection;

namespace DeRa.Hub;

/// <summary>
/// Asks the Hub. Redirects are followed by hand, since the token must go with those that stay on the Hub's host and with no
/// others. Any thread.
/// </summary>
internal sealed class HubClient : IDisposable
{
    private const int MostRedirects = 10;
    private static readonly ProductInfoHeaderValue UserAgent =
        new("dera", Assembly.GetExecutingAssembly().GetName().Version?.ToString(3));

    private readonly HubOptions _options;
    private readonly TimeProvider _time;
    private readonly HubRefusal _refusal;
    private readonly HttpClient _http;

    public HubClient(HubOptions options, TimeProvider time)
    {
        (_options, _time) = (options, time);
        _refusal = new HubRefusal(options.Endpoint, options.Token is not null, time);
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, ConnectTimeout = TimeSpan.FromSeconds(15) };
        _http = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>What a model's repository holds.</summary>
    /// <exception cref="HubException">There is no such model or revision, or the Hub does not answer.</exception>
    public async Task<RepositoryListing> ListAsync(HubName name, CancellationToken cancellation)
    {
        var address = Address($"api/models/{name.Repository}/revision/{Uri.EscapeDataString(name.Revision)}?blobs=true");
        using var guard = new StallGuard(name, _time, cancellation);
        using var response = await SendAsync(name, HttpMethod.Get, address, offset: 0, guard);
        var json = await guard.WaitAsync(address, async token => await response.Content.ReadAsByteArrayAsync(token));
        return RepositoryListing.Read(json)
            ?? throw new HubException($"'{name}': {address.Host} did not answer with a listing of the model; is HF_ENDPOINT right?");
    }

    /// <summary>Asks for a file's length and checksum, for servers whose listing leaves them out.</summary>
    /// <exception cref="HubException">The file is not there, or the Hub does not answer or say.</exception>
    public async Task<RemoteFile> DescribeAsync(HubName name, string commit, string path, CancellationToken cancellation)
    {
        using var guard = new StallGuard(name, _time, cancellation);
        using var response = await SendAsync(name, HttpMethod.Head, FileAddress(name, commit, path), offset: 0, guard);
        var etag = (Header("X-Linked-Etag") ?? response.Headers.ETag?.Tag)?.TrimStart('W', '/').Trim('"');
        var size = long.TryParse(Header("X-Linked-Size"), out var linked) ? linked
            : response.IsSuccessStatusCode ? response.Content.Headers.ContentLength : null;
        return etag is not null && Checksum.IsKnown(etag) && size is >= 0 and <= RemoteFile.LongestBytes
            ? new RemoteFile(path, etag, size.Value)
            : throw new HubException($"'{name}': {_options.Endpoint.Host} gives no length or no checksum for {path}.");

        string? Header(string header) => response.Headers.TryGetValues(header, out var values) ? values.First() : null;
    }

    /// <summary>Opens a file's content from an offset on; the caller reads it under the same guard.</summary>
    /// <exception cref="HubException">The Hub or its storage does not give it.</exception>
    public Task<HttpResponseMessage> OpenAsync(HubName name, string commit, string path, long offset, StallGuard guard) =>
        SendAsync(name, HttpMethod.Get, FileAddress(name, commit, path), offset, guard);

    public void Dispose() => _http.Dispose();

    private Uri FileAddress(HubName name, string commit, string path) =>
        Address($"{name.Repository}/resolve/{commit}/{Uri.EscapeDataString(path)}");

    private Uri Address(string path) => new($"{_options.Endpoint.AbsoluteUri.TrimEnd('/')}/{path}");

    private async Task<HttpResponseMessage> SendAsync(HubName name, HttpMethod method, Uri address, long offset, StallGuard guard)
    {
        for (var redirects = 0; redirects <= MostRedirects; redirects++)
        {
            var response = await guard.WaitAsync(address, async token =>
                await _http.SendAsync(Request(method, address, offset), HttpCompletionOption.ResponseHeadersRead, token));
            var target = Target(response, address);
            // The storage knows nothing of the Hub's headers; only the Hub's own redirect has them.
            if (target is null || (method == HttpMethod.Head && !IsEndpoint(target))) return Checked(name, response, address);
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
        // A compressed answer would have another length and could not be resumed.
        request.Headers.AcceptEncoding.Add(new StringWithQualityHeaderValue("identity"));
        if (offset > 0) request.Headers.Range = new RangeHeaderValue(offset, null);
        if (_options.Token is not null && IsEndpoint(address))
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _options.Token);
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

    private bool IsEndpoint(Uri address) => Uri.Compare(address, _options.Endpoint,
        UriComponents.SchemeAndServer, UriFormat.SafeUnescaped, StringComparison.OrdinalIgnoreCase) == 0;
}

// A server on the default pair, its telemetry in Aspire's dashboard, and a Prometheus that reads its /metrics.
var builder = DistributedApplication.CreateBuilder(args);

var dera = builder.AddProject<Projects.DeRa_Server>("dera", launchProfileName: null)
    .WithHttpEndpoint(port: 8080, name: "http", env: "DERA_HTTP_PORT")
    .WithHttpEndpoint(name: "grpc", env: "DERA_GRPC_PORT")
    .WithHttpHealthCheck("/readyz", endpointName: "http");

builder.AddContainer("prometheus", "docker.io/prom/prometheus")
    .WithBindMount("prometheus.yaml", "/etc/prometheus/prometheus.yml", isReadOnly: true)
    .WithHttpEndpoint(targetPort: 9090)
    .WaitFor(dera);

await builder.Build().RunAsync();

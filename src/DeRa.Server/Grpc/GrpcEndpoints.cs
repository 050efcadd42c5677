using DeRa.Hosting.Security;
using DeRa.Protos.V1;
using DeRa.Server.Options;
using DeRa.Server.State;
using Grpc.AspNetCore.Server.Model;
using Grpc.HealthCheck;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.DependencyInjection.Extensions;
using ServingStatus = Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus;

namespace DeRa.Server.Grpc;

/// <summary>gRPC: inference, health and reflection.</summary>
internal static class GrpcEndpoints
{
    /// <summary>Registers the services.</summary>
    public static IServiceCollection AddGrpcEndpoints(this IServiceCollection services, ServerOptions options)
    {
        services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = options.Body.MaxBodyBytes;
            // Its fallback for unknown services would take every path of two parts from HTTP's routing.
            grpc.IgnoreUnknownServices = true;
            grpc.Interceptors.Add<ExceptionInterceptor>();
        });
        services.RemoveAll(typeof(IServiceMethodProvider<>)).AddSingleton(typeof(IServiceMethodProvider<>), typeof(CheckedMethods<>));
        services.AddGrpcReflection();
        services.AddSingleton<ExceptionInterceptor>().AddSingleton<InferenceEndpoint>().AddSingleton<HealthServiceImpl>();
        return services;
    }

    /// <summary>Maps the services, and ties their health to readiness.</summary>
    public static void MapGrpcEndpoints(this WebApplication app)
    {
        // gRPC bounds its messages itself; HTTP's bound would count their framing too.
        app.MapGrpcService<InferenceEndpoint>().WithMetadata(new DisableRequestSizeLimitAttribute());
        app.MapGrpcService<HealthServiceImpl>().WithMetadata(Probe.Health).Add(OpenCheck);
        app.MapGrpcReflectionService();
        var health = app.Services.GetRequiredService<HealthServiceImpl>();
        Publish(health, ServingPhase.Loading);
        app.Services.GetRequiredService<ServingState>().Changed += phase => Publish(health, phase);
    }

    /// <summary>Kubernetes' gRPC probes can send no key. They call Check; Watch, which holds a stream open, needs one.</summary>
    private static void OpenCheck(EndpointBuilder endpoint)
    {
        if (endpoint is RouteEndpointBuilder { RoutePattern.RawText: "/grpc.health.v1.Health/Check" })
            endpoint.Metadata.Add(new AllowAnonymousAttribute());
    }

    private static void Publish(HealthServiceImpl health, ServingPhase phase)
    {
        var status = phase == ServingPhase.Ready ? ServingStatus.Serving : ServingStatus.NotServing;
        health.SetStatus("", status);
        health.SetStatus(InferenceService.Descriptor.FullName, status);
    }
}

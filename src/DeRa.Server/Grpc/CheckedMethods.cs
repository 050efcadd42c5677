using System.Reflection;
using DeRa.Server.Errors;
using Google.Protobuf;
using Grpc.AspNetCore.Server.Model;
using Grpc.Core;

namespace DeRa.Server.Grpc;

/// <summary>
/// Maps the methods of a gRPC service as ASP.NET Core's own provider does, but so that bytes which are not a message are refused
/// as the client's fault. Messages are read before any interceptor runs; without this they would pass for a fault of the server.
/// </summary>
/// <typeparam name="TService">The service's implementation.</typeparam>
internal sealed class CheckedMethods<TService> : IServiceMethodProvider<TService> where TService : class
{
    /// <inheritdoc/>
    public void OnServiceMethodDiscovery(ServiceMethodProviderContext<TService> context)
    {
        var binding = typeof(TService).GetCustomAttribute<BindServiceMethodAttribute>(inherit: true)
            ?? throw new InvalidOperationException($"{typeof(TService)} derives from no generated service");
        var bind = binding.BindType.GetMethods().Single(method => method.Name == binding.BindMethodName
            && method.GetParameters() is [var binder, _] && binder.ParameterType == typeof(ServiceBinderBase));
        bind.Invoke(null, [new Binder(context), null]);
    }

    private sealed class Binder(ServiceMethodProviderContext<TService> context) : ServiceBinderBase
    {
        public override void AddMethod<TRequest, TResponse>(
            Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse>? handler) =>
            context.AddUnaryMethod(Checked(method), Metadata(method), Invoker<UnaryServerMethod<TService, TRequest, TResponse>>(method));

        public override void AddMethod<TRequest, TResponse>(
            Method<TRequest, TResponse> method, ClientStreamingServerMethod<TRequest, TResponse>? handler) =>
            context.AddClientStreamingMethod(
                Checked(method), Metadata(method), Invoker<ClientStreamingServerMethod<TService, TRequest, TResponse>>(method));

        public override void AddMethod<TRequest, TResponse>(
            Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse>? handler) =>
            context.AddServerStreamingMethod(
                Checked(method), Metadata(method), Invoker<ServerStreamingServerMethod<TService, TRequest, TResponse>>(method));

        public override void AddMethod<TRequest, TResponse>(
            Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse>? handler) =>
            context.AddDuplexStreamingMethod(
                Checked(method), Metadata(method), Invoker<DuplexStreamingServerMethod<TService, TRequest, TResponse>>(method));
    }

    private static MethodInfo Implementation(IMethod method) => typeof(TService).GetMethod(method.Name)!;

    private static TDelegate Invoker<TDelegate>(IMethod method) where TDelegate : Delegate =>
        Implementation(method).CreateDelegate<TDelegate>();

    /// <summary>
    /// Attributes such as those of authorization; the method's come last, and so win. Then what ASP.NET Core's provider adds.
    /// </summary>
    private static object[] Metadata(IMethod method) =>
    [
        .. typeof(TService).GetCustomAttributes(inherit: true), .. Implementation(method).GetCustomAttributes(inherit: true),
        new HttpMethodMetadata([HttpMethods.Post], acceptCorsPreflight: true),
    ];

    private static Method<TRequest, TResponse> Checked<TRequest, TResponse>(Method<TRequest, TResponse> method) =>
        new(method.Type, method.ServiceName, method.Name, Checked(method.RequestMarshaller), method.ResponseMarshaller);

    private static Marshaller<T> Checked<T>(Marshaller<T> marshaller) => new(marshaller.ContextualSerializer, context =>
    {
        try
        {
            return marshaller.ContextualDeserializer(context);
        }
        catch (InvalidProtocolBufferException bad)
        {
            throw GrpcError.For(bad, "").ToRpcException();
        }
    });
}

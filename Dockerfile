# docker build --target cpu  -t dera:cpu  .
# docker build --target cuda -t dera:cuda .
# docker run -p 127.0.0.1:8080:8080 dera:cpu
#
# Without arguments it serves the default pair, which is in the image; see deploy/compose.yaml for a pair of one's own. The command
# line tool is there too, as /app/dera.
# Both run on Microsoft's ASP.NET image for Ubuntu 24.04, which has what libtorch and the tokenizers need: glibc 2.39,
# libstdc++ of GCC 14 and ICU. The CUDA image takes libtorch and all of CUDA 12.8 from NuGet, in the version for which
# TorchSharp was built; of the host it needs the NVIDIA driver and container toolkit only. A PyTorch installation of the
# host can take NuGet's place: run the cpu image with its site-packages mounted (torch finds its CUDA libraries beside
# itself) and DERA_LIBTORCH naming torch/lib in there.

FROM mcr.microsoft.com/dotnet/sdk:10.0-noble AS source
ENV NUGET_PACKAGES=/packages
WORKDIR /source
COPY . .

FROM source AS publish-cpu
RUN --mount=type=cache,target=/packages \
    dotnet publish src/DeRa.Server -r linux-x64 --self-contained false -o /app -p:DeRaLibTorch=cpu && \
    dotnet publish src/DeRa.Cli -r linux-x64 --self-contained false -o /app -p:DeRaLibTorch=cpu

# No cache for packages here: putting the largest CUDA libraries together changes files in the packages themselves.
FROM source AS publish-cuda
RUN dotnet publish src/DeRa.Server -r linux-x64 --self-contained false -o /app -p:DeRaLibTorch=cuda && \
    dotnet publish src/DeRa.Cli -r linux-x64 --self-contained false -o /app -p:DeRaLibTorch=cuda

FROM mcr.microsoft.com/dotnet/aspnet:10.0-noble AS runtime
# The base image's own port setting would compete with the server's.
ENV ASPNETCORE_HTTP_PORTS="" \
    DOTNET_EnableDiagnostics=0 \
    DERA_HOST=0.0.0.0 \
    HF_HOME=/huggingface
# Models from the Hub come here. A new volume that is mounted over it takes its owner from it, so that the user may write.
RUN install -d -o $APP_UID -g $APP_UID $HF_HOME
COPY --chmod=0755 deploy/probe.sh /usr/local/bin/dera-probe
WORKDIR /app
EXPOSE 8080 8081
USER $APP_UID
HEALTHCHECK --interval=15s --timeout=6s --start-period=60s --retries=3 CMD ["dera-probe", "/livez"]
ENTRYPOINT ["/app/DeRa.Server"]

FROM runtime AS cuda
ENV NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
COPY --from=publish-cuda /app /app

FROM runtime AS cpu
COPY --from=publish-cpu /app /app

using DeRa.Serving.Loading;
using DeRa.Serving.Merging;
using DeRa.Serving.Requests;
using DeRa.Testing;
using DeRa.Torch.Native;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace DeRa.Serving.Tests.Merging;

public sealed class MergeDistanceTests
{
    private static readonly string s_reference = DefaultPairWeights.Folder("reference");
    private static readonly string s_aligned = DefaultPairWeights.Folder("aligned");

    [Fact]
    public async Task A_merged_model_that_is_one_of_the_two_is_as_far_as_that_one()
    {
        var distance = await MeasureAsync(s_reference, .7);
        Assert.InRange(distance.ToReference, .01, 1);
        // One is the exact sum at each place, the other the estimate by the tokens that were drawn.
        Assert.Equal(distance.ToReference, distance.ToMerged, distance.ToReference / 3);
        Assert.Equal((64, true), (distance.Texts, distance.Tokens > 64 * 16));
        Assert.InRange(distance.ToAligned, 1e-4, distance.ToReference);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task The_ends_are_the_two_models(int strength)
    {
        var distance = await MeasureAsync(strength == 0 ? s_reference : s_aligned, strength);
        Assert.Equal(0, distance.ToMerged, 1e-6);
        Assert.Equal(0, strength == 0 ? distance.ToReference : distance.ToAligned, 1e-6);
        Assert.InRange(strength == 0 ? distance.ToAligned : distance.ToReference, .01, 1);
    }

    private static async Task<MergeDistance> MeasureAsync(string merged, double strength)
    {
        var pair = await ServedPairLoader.LoadAsync(new ServedPairOptions
        {
            Names = new ServedNames("merged", [MergeDistance.First, MergeDistance.Second]),
            Models = new()
            {
                ReferencePath = merged,
                Aligned = [new(MergeDistance.First, s_reference), new(MergeDistance.Second, s_aligned)],
                Device = DeviceOption.Parse("cpu"),
            },
        }, progress: null, NullLoggerFactory.Instance, TimeProvider.System, TestContext.Current.CancellationToken);
        using (pair.Engine)
            return await MergeDistance.MeasureAsync(pair, [.. MergeDistance.Prompts.Select(prompt => new TextPrompt(prompt))],
                strength, 24, TestContext.Current.CancellationToken);
    }
}

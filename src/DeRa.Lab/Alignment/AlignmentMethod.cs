using DeRa.Lab.Objectives;

namespace DeRa.Lab.Alignment;

/// <summary>Creates alignment objectives by name.</summary>
internal static class AlignmentMethod
{
    /// <summary>What <see cref="Create"/> takes, for help and errors.</summary>
    public const string Known = "policy-gradient, grpo, dpo (Bradley-Terry preferences drawn from the reward), "
        + "dpo-hard (the higher reward is always preferred), brain";

    /// <summary>Makes a method's objective.</summary>
    /// <param name="name">One of <see cref="Known"/>.</param>
    /// <param name="beta">KL strength; above 0.</param>
    /// <param name="seed">For sampled preferences.</param>
    /// <returns>The objective, and whether it learns from the reference's completions.</returns>
    /// <exception cref="LabException">The name is unknown or β out of range.</exception>
    public static (IObjective Objective, bool FromReference) Create(string name, double beta, long seed)
    {
        if (!(double.IsFinite(beta) && beta > 0))
            throw new LabException(FormattableString.Invariant($"--beta is {beta}; it must be above 0."));
        return name switch
        {
            "policy-gradient" => (new PolicyGradientObjective(beta), false),
            "grpo" => (new GrpoObjective(beta), false),
            "dpo" => (new DpoObjective(beta, new BradleyTerryPreference(seed)), true),
            "dpo-hard" => (new DpoObjective(beta, new HardPreference()), true),
            "brain" => (new BrainObjective(beta), true),
            _ => throw new LabException($"--method '{name}' is unknown; there is {Known}."),
        };
    }
}

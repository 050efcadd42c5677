using Mono.Cecil;
using Mono.Cecil.Cil;

namespace DeRa.Architecture.Tests.Rules;

/// <summary>
/// What a compiled type refers to: in signatures, attributes, generic arguments and bodies, those of lambdas, iterators and async methods
/// too. Constants leave no trace in a compiled assembly, nor does <c>nameof</c>.
/// </summary>
internal static class TypeReferences
{
    /// <summary>Our types that are in no other; without what the compiler and source generators add.</summary>
    public static IEnumerable<TypeDefinition> TopTypes(this ModuleDefinition module) => module.Types.Where(type =>
        type.Namespace.Split('.')[0] is "DeRa" or "" && !type.Name.StartsWith('<'));

    /// <summary>The type itself and all that are nested in it, compiler-made ones too.</summary>
    public static IEnumerable<TypeDefinition> WithNested(this TypeDefinition type) => type.NestedTypes.SelectMany(WithNested).Prepend(type);

    /// <summary>The top-level types that a top-level type refers to, each once.</summary>
    public static IEnumerable<TypeReference> Of(TypeDefinition top) =>
        top.WithNested().SelectMany(Direct).SelectMany(Parts).Select(Top).DistinctBy(type => type.FullName);

    private static TypeReference Top(TypeReference type) => type.DeclaringType is { } outer ? Top(outer) : type;

    private static IEnumerable<TypeReference> Direct(TypeDefinition type) =>
    [
        .. type.BaseType is { } super ? [super] : Array.Empty<TypeReference>(),
        .. type.Interfaces.Select(implemented => implemented.InterfaceType),
        .. Constraints(type),
        .. type.Fields.Select(field => field.FieldType),
        .. type.Methods.SelectMany(InMethod),
        .. new ICustomAttributeProvider[] { type }.Concat(type.Fields).Concat(type.Properties).Concat(type.Events).SelectMany(Attributes),
    ];

    private static IEnumerable<TypeReference> InMethod(MethodDefinition method) =>
    [
        method.ReturnType,
        .. method.Parameters.Select(parameter => parameter.ParameterType),
        .. Constraints(method),
        .. method.Overrides.SelectMany(InOperand),
        .. new ICustomAttributeProvider[] { method, method.MethodReturnType }.Concat(method.Parameters).SelectMany(Attributes),
        .. method.HasBody ? InBody(method.Body) : [],
    ];

    private static IEnumerable<TypeReference> InBody(MethodBody body) =>
    [
        .. body.Variables.Select(variable => variable.VariableType),
        .. body.ExceptionHandlers.Where(handler => handler.CatchType is not null).Select(handler => handler.CatchType),
        .. body.Instructions.SelectMany(instruction => InOperand(instruction.Operand)),
    ];

    private static IEnumerable<TypeReference> InOperand(object? operand) => operand switch
    {
        TypeReference type => [type],
        FieldReference field => [field.DeclaringType, field.FieldType],
        GenericInstanceMethod method => [method.DeclaringType, .. method.GenericArguments],
        MethodReference method => [method.DeclaringType],
        CallSite call => [call.ReturnType, .. call.Parameters.Select(parameter => parameter.ParameterType)],
        _ => [],
    };

    private static IEnumerable<TypeReference> Constraints(IGenericParameterProvider owner) =>
        owner.GenericParameters.SelectMany(parameter => parameter.Constraints).Select(constraint => constraint.ConstraintType);

    private static IEnumerable<TypeReference> Attributes(ICustomAttributeProvider owner) => owner.CustomAttributes.SelectMany(attribute =>
        attribute.ConstructorArguments.Concat(attribute.Properties.Select(named => named.Argument))
            .SelectMany(InArgument).Prepend(attribute.AttributeType));

    private static IEnumerable<TypeReference> InArgument(CustomAttributeArgument argument) => argument.Value switch
    {
        TypeReference type => [argument.Type, type],
        CustomAttributeArgument boxed => InArgument(boxed),
        CustomAttributeArgument[] several => several.SelectMany(InArgument),
        _ => [argument.Type],
    };

    private static IEnumerable<TypeReference> Parts(TypeReference type) => type switch
    {
        GenericParameter => [],
        GenericInstanceType generic => generic.GenericArguments.SelectMany(Parts).Concat(Parts(generic.ElementType)),
        FunctionPointerType pointer =>
            pointer.Parameters.SelectMany(parameter => Parts(parameter.ParameterType)).Concat(Parts(pointer.ReturnType)),
        IModifierType modified => Parts(modified.ModifierType).Concat(Parts(modified.ElementType)),
        TypeSpecification specification => Parts(specification.ElementType),
        _ => [type],
    };
}

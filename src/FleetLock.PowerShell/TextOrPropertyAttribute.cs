using System.Management.Automation;
using System.Runtime.CompilerServices;

namespace FleetLock.PowerShell;

/// <summary>
/// Of a parameter that text from the pipeline binds to: an object is never taken as its text, but for the property that is named as the parameter.
/// An object that has none is an error: an id that nobody has would be locked, and one that nobody holds would be released with success.
/// </summary>
/// <param name="property">The property.</param>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class TextOrPropertyAttribute(string property) : ArgumentTransformationAttribute
{
    private static readonly ConditionalWeakTable<object, object> FromPartialObjects = new();

    /// <summary>
    /// The property that the command needs too. An object that has only this one is not refused, because the parameter itself may be given.
    /// </summary>
    public string? Companion { get; set; }

    /// <summary>Whether a parameter's value is that of objects without the companion: the command has to find that elsewhere.</summary>
    /// <param name="value">The parameter's value, as it was bound.</param>
    /// <returns>True when it is.</returns>
    internal static bool IsWithoutCompanion(string[]? value) => value is not null && FromPartialObjects.TryGetValue(value, out _);

    /// <inheritdoc/>
    public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData)
    {
        if (IsText(inputData))
            return inputData;
        var items = LanguagePrimitives.GetEnumerable(inputData) is { } values ? values.Cast<object?>().ToList() : [inputData];
        if (items.TrueForAll(IsText))
            return inputData;

        var texts = items.Select(item => IsText(item) ? LanguagePrimitives.ConvertTo<string>(item) : Read(item!)).ToArray();
        if (Companion is not null && items.Exists(item => !IsText(item) && Find(item!, Companion) is null))
            FromPartialObjects.Add(texts, this);
        return texts;
    }

    private string? Read(object item)
    {
        if (Find(item, property) is { } found && IsText(found.Value))
            return found.Value is null ? null : LanguagePrimitives.ConvertTo<string>(found.Value);

        var type = PSObject.AsPSObject(item).TypeNames is [var first, ..] ? first : item.GetType().FullName;
        var missing = new ArgumentTransformationMetadataException(
            $"An object of type {TerminalText.Clean($"{type}")} has no text in a property '{property}'. Give text, or objects with this property, as by Select-Object @{{ n = '{property}'; e = {{ … }} }}.");

        // The engine goes on to the properties after this inner exception, and reports every other.
        throw Companion is not null && Find(item, Companion) is not null
            ? new ArgumentTransformationMetadataException(missing.Message, new PSInvalidCastException(missing.Message))
            : missing;
    }

    private static PSPropertyInfo? Find(object item, string name) => PSObject.AsPSObject(item).Properties[name];

    private static bool IsText(object? value) => (value is PSObject wrapped ? wrapped.BaseObject : value) is null or string or ValueType and (IConvertible and not (System.DateTime or bool) or Guid);
}

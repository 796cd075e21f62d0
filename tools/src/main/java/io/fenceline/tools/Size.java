package io.fenceline.tools;

import java.math.BigInteger;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/// Sizes in bytes: digits, and `k`, `m`, `g`, `t`, `KiB`, `MiB`, `GiB`, `TiB` (powers of 1024, in any case) if any.
final class Size implements ITypeConverter<Long> {
    private static final Pattern FORM = Pattern.compile("(\\d+)(|b|([kmgt])(|b|ib))");

    @Override
    public Long convert(String text) {
        Matcher matcher = FORM.matcher(text.strip().toLowerCase(Locale.ROOT).replace(" ", ""));
        if (!matcher.matches()) {
            throw new TypeConversionException(
                    "'" + text + "' is not a size: expected digits and a unit, such as 64MiB, 2m or 1048576");
        }
        String unit = matcher.group(3);
        int shift = unit == null ? 0 : 10 * ("kmgt".indexOf(unit) + 1);
        BigInteger bytes = new BigInteger(matcher.group(1)).shiftLeft(shift);
        if (bytes.bitLength() > Long.SIZE - 1) {
            throw new TypeConversionException("'" + text + "' is too large a size: expected less than 2^63 bytes");
        }
        return bytes.longValue();
    }

    /// A size for people: `64 MiB` where it is exact, else with one decimal.
    static String describe(long bytes) {
        String[] units = {"bytes", "KiB", "MiB", "GiB", "TiB"};
        int unit = 0;
        double value = bytes;
        while (value >= 1024 && unit < units.length - 1) {
            value /= 1024;
            unit++;
        }
        boolean whole = value == Math.rint(value);
        return (whole ? "%.0f %s" : "%.1f %s").formatted(value, units[unit]);
    }
}

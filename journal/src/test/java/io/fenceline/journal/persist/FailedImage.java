package io.fenceline.journal.persist;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// What a checker found, with the image at which it found it. Whoever catches it leaves the image for
/// `fenceline dump`.
public final class FailedImage extends AssertionError {
    private static final long serialVersionUID = 1;
    private static final int FEW = 16;

    private final transient Throwable found;
    private final transient SimulatedMedium image;
    private final boolean smallest;

    private FailedImage(String message, Throwable found, SimulatedMedium image, boolean smallest) {
        super(message, found);
        this.found = found;
        this.image = image;
        this.smallest = smallest;
    }

    /// @param found what was thrown; if it is of an image already, this is it
    public static FailedImage of(SimulatedMedium image, Throwable found) {
        return found instanceof FailedImage known
                ? known
                : new FailedImage(String.valueOf(found.getMessage()), found, image, false);
    }

    /// Runs a check of an image that a process crash, or what else is not chosen among many, has left.
    ///
    /// @throws FailedImage for whatever it throws
    public static void check(SimulatedMedium image, Runnable check) {
        SimulatedMedium untouched = image.afterProcessCrash();
        try {
            check.run();
        } catch (RuntimeException | Error e) {
            throw of(untouched, e);
        }
    }

    FailedImage smallest(int units, List<Long> lost) {
        String where = lost.isEmpty()
                ? "nothing is lost"
                : lost.stream().limit(FEW).map(String::valueOf).toList() + (lost.size() > FEW ? ", …" : "");
        return new FailedImage(
                getMessage() + "\nfails with " + lost.size() + " of " + units
                        + " undecided units lost, and with fewer it was not seen to; file offsets: " + where,
                found,
                image,
                true);
    }

    boolean isSmallest() {
        return smallest;
    }

    public SimulatedMedium image() {
        return image;
    }

    /// Leaves the image of a failure, as a process finds it that opens it next.
    ///
    /// @param found    what a checker threw
    /// @param fallback what is left if that is of no image
    /// @param file     made, with its directories
    /// @return what to do with it
    public static String leave(Throwable found, SimulatedMedium fallback, Path file) {
        SimulatedMedium image = fallback;
        for (Throwable e = found; e != null; e = e.getCause()) {
            if (e instanceof FailedImage failed) {
                image = failed.image;
                break;
            }
        }
        return leave(image, file);
    }

    /// Leaves an image.
    ///
    /// @return what to do with it
    public static String leave(SimulatedMedium image, Path file) {
        byte[] bytes = new byte[Math.toIntExact(image.lengthBytes())];
        image.read(0, MemorySegment.ofArray(bytes), 0, bytes.length);
        Path directory = file.toAbsolutePath().getParent();
        try {
            Files.createDirectories(directory);
            Files.write(file, bytes);
        } catch (IOException e) {
            return "no image could be left: " + e;
        }
        boolean isLog = JournalFiles.LOG.equals(String.valueOf(file.getFileName()));
        return isLog ? "look: fenceline dump " + directory : "look: od -A d -t x1 " + file.toAbsolutePath();
    }
}

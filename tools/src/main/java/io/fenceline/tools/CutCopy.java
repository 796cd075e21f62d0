package io.fenceline.tools;

import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.WRITE;

import io.fenceline.journal.Journal;
import io.fenceline.tailer.Start;
import io.fenceline.tailer.Tailer;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HexFormat;
import java.util.Set;

/// Keeps what is going to be cut off, readable for people and programs, durable before it is cut.
final class CutCopy {
    private static final Set<PosixFilePermission> OWNER_ONLY = PosixFilePermissions.fromString("rw-------");

    private CutCopy() {}

    /// Copies everything from a frame on.
    ///
    /// @param file must not exist
    static void write(Journal journal, long position, Path file) {
        try (FileChannel channel = FileChannel.open(
                        file, Set.of(CREATE_NEW, WRITE), PosixFilePermissions.asFileAttribute(OWNER_ONLY));
                BufferedWriter out = new BufferedWriter(Channels.newWriter(channel, StandardCharsets.US_ASCII));
                Tailer tailer = Tailer.open(journal, Start.position(position))) {
            while (tailer.poll(
                            entry -> {
                                try {
                                    out.write(
                                            entry.position() + " " + entry.sequence() + " " + entry.timestampNs() + " "
                                                    + entry.type() + " "
                                                    + HexFormat.of().formatHex(entry.toByteArray()) + "\n");
                                } catch (IOException e) {
                                    throw new UncheckedIOException(e);
                                }
                            },
                            1000)
                    > 0) {
                // on
            }
            out.flush();
            channel.force(true);
        } catch (FileAlreadyExistsException e) {
            throw new CommandException(ExitCodes.USAGE, file + " is there already: name another --copy, or --no-copy");
        } catch (IOException | UncheckedIOException e) {
            throw new CommandException(
                    ExitCodes.STORAGE, "cannot copy to " + file + " (" + e.getMessage() + "): nothing was changed");
        }
    }
}

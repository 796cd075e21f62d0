package io.fenceline.journal;

/// Something is wrong with a journal or its storage. The message says what, where (file, position), what was
/// expected, what was found, and what to do. Subclasses exist where a program would act differently.
public class JournalException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public JournalException(String message) {
        super(message);
    }

    public JournalException(String message, Throwable cause) {
        super(message, cause);
    }

    /// There is no journal at that path, or what is there is not one.
    public static final class NotAJournal extends JournalException {
        private static final long serialVersionUID = 1;

        public NotAJournal(String message) {
            super(message);
        }
    }

    /// A journal of a newer version, or with a feature that this version does not know.
    public static final class Unsupported extends JournalException {
        private static final long serialVersionUID = 1;

        public Unsupported(String message) {
            super(message);
        }
    }

    /// Bytes that were whole once are not any more.
    public static sealed class Corrupt extends JournalException permits Truncated {
        private static final long serialVersionUID = 1;

        public Corrupt(String message) {
            super(message);
        }
    }

    /// A file that is shorter, or longer, than its superblock says.
    public static final class Truncated extends Corrupt {
        private static final long serialVersionUID = 1;

        public Truncated(String message) {
            super(message);
        }
    }

    /// Another writer has the journal open.
    public static final class Locked extends JournalException {
        private static final long serialVersionUID = 1;

        public Locked(String message) {
            super(message);
        }
    }

    /// `create` found something at the path.
    public static final class AlreadyExists extends JournalException {
        private static final long serialVersionUID = 1;

        public AlreadyExists(String message) {
            super(message);
        }
    }

    /// The storage, or this machine, cannot give the durability that was asked for.
    public static final class DurabilityUnavailable extends JournalException {
        private static final long serialVersionUID = 1;

        public DurabilityUnavailable(String message) {
            super(message);
        }
    }

    /// The operating system refused: no permission, no space, no such directory, an I/O error.
    public static final class Io extends JournalException {
        private static final long serialVersionUID = 1;
        private final int errno;

        public Io(String message, int errno) {
            super(message);
            this.errno = errno;
        }

        public Io(String message, Throwable cause) {
            super(message, cause);
            this.errno = 0;
        }

        /// The operating system's error number, 0 if it gave none.
        public int errno() {
            return errno;
        }
    }

    /// An I/O fault happened before: nothing is acknowledged any more until the journal is opened again.
    public static final class Poisoned extends JournalException {
        private static final long serialVersionUID = 1;

        public Poisoned(String message, Throwable cause) {
            super(message, cause);
        }
    }
}

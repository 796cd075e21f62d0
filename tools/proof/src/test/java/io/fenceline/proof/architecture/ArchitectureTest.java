package io.fenceline.proof.architecture;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.AccessTarget;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/// Nobody goes round the door to durability: `io.fenceline.journal.persist` ([io.fenceline.journal.persist.Persister]
/// for bytes, [io.fenceline.journal.persist.FileLayer] for files). What the crash checker proves over a simulated
/// medium is true of the product because of that.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ArchitectureTest {
    private static final String DOOR = "io.fenceline.journal.persist";
    private static final String[] LIBRARIES = {
        "io.fenceline.journal..", "io.fenceline.appender..", "io.fenceline.tailer.."
    };

    private final JavaClasses classes = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .withImportOption(location -> !location.contains("test-classes") && !location.contains("tests.jar"))
            .importPackages(
                    "io.fenceline.journal", "io.fenceline.appender", "io.fenceline.tailer", "io.fenceline.tools");

    private static DescribedPredicate<JavaAccess<?>> accessTo(String what, Set<String> owners, Set<String> names) {
        return describe(what, access -> {
            AccessTarget target = access.getTarget();
            return owners.contains(target.getOwner().getFullName())
                    && (names.isEmpty() || names.contains(target.getName()));
        });
    }

    private void check(ArchRule rule) {
        rule.allowEmptyShould(false).check(classes);
    }

    @Test
    void shouldReadTheClassFilesOfThisBuild() {
        assertTrue(classes.contain("io.fenceline.journal.persist.Persister"));
        assertTrue(classes.contain("io.fenceline.appender.ConcurrentAppender"));
        assertTrue(classes.contain("io.fenceline.tailer.Tailer"));
        assertFalse(classes.contain("io.fenceline.journal.persist.SimulatedMedium"), "tests are no product");
    }

    @Test
    void shouldReachFilesThroughTheDoorOnly() {
        check(noClasses()
                .that()
                .resideInAnyPackage(LIBRARIES)
                .and()
                .resideOutsideOfPackage(DOOR)
                .should()
                .dependOnClassesThat(describe(
                        "open files",
                        type -> Set.of(
                                        "java.io.RandomAccessFile",
                                        "java.io.FileOutputStream",
                                        "java.io.FileInputStream",
                                        "java.io.FileWriter",
                                        "java.io.FileReader",
                                        "java.io.File",
                                        "java.nio.channels.FileChannel",
                                        "java.nio.channels.AsynchronousFileChannel",
                                        "java.nio.MappedByteBuffer",
                                        "sun.misc.Unsafe",
                                        "jdk.internal.misc.Unsafe")
                                .contains(type.getFullName()))));
    }

    // Files#readString is for /proc's boot id, Files#notExists for an archive's place: neither touches a journal.
    @Test
    void shouldAskFilesForNothingThatWritesOrOpens() {
        check(noClasses()
                .that()
                .resideInAnyPackage(LIBRARIES)
                .and()
                .resideOutsideOfPackage(DOOR)
                .should()
                .accessTargetWhere(describe("java.nio.file.Files", access -> {
                    AccessTarget target = access.getTarget();
                    return target.getOwner().getFullName().equals("java.nio.file.Files")
                            && !Set.of("readString", "notExists").contains(target.getName());
                })));
    }

    @Test
    void shouldTouchRawMemoryThroughTheDoorOnly() {
        check(noClasses()
                .that()
                .resideInAnyPackage(LIBRARIES)
                .and()
                .resideOutsideOfPackage(DOOR)
                .should()
                .accessTargetWhere(accessTo(
                        "raw addresses, or MemorySegment#force",
                        Set.of("java.lang.foreign.MemorySegment"),
                        Set.of("ofAddress", "reinterpret", "force", "load", "unload")))
                .orShould()
                .dependOnClassesThat(describe(
                        "make downcalls",
                        type -> Set.of("java.lang.foreign.Linker", "java.lang.foreign.SymbolLookup")
                                .contains(type.getFullName()))));
    }

    // Waiting, waking and the clock are no persistence.
    @Test
    void shouldMakeSystemCallsBehindTheDoorOnly() {
        check(noClasses()
                .that()
                .resideOutsideOfPackage(DOOR)
                .and()
                .resideInAnyPackage("io.fenceline.journal..", "io.fenceline.appender..", "io.fenceline.tailer..")
                .should()
                .accessTargetWhere(describe("system calls on files", access -> {
                    AccessTarget target = access.getTarget();
                    return target.getOwner().getFullName().equals(DOOR + ".Posix")
                            && !Set.of("futexWait", "futexWake", "membarrier", "registerMembarrier", "clockRealtime")
                                    .contains(target.getName());
                })));
    }

    // Else a simulated or faulty file layer would not see it.
    @Test
    void shouldTouchFilesThroughTheFileLayerEvenBehindTheDoor() {
        check(noClasses()
                .that()
                .resideInAPackage(DOOR)
                .and()
                .doNotHaveFullyQualifiedName(DOOR + ".SystemFiles")
                .and()
                .doNotHaveFullyQualifiedName(DOOR + ".Posix")
                .should()
                .accessTargetWhere(accessTo(
                        "system calls on files",
                        Set.of(DOOR + ".Posix"),
                        Set.of(
                                "open",
                                "close",
                                "mkdir",
                                "remove",
                                "renameNoReplace",
                                "chmod",
                                "fsync",
                                "fdatasync",
                                "allocate",
                                "pread",
                                "pwriteFully",
                                "map",
                                "unmap",
                                "tryLock",
                                "unlock",
                                "isLocked",
                                "status",
                                "checkWhole"))));
    }

    @Test
    void shouldStoreThroughPersisterOnly() {
        check(noClasses()
                .that()
                .resideOutsideOfPackage(DOOR)
                .and()
                .resideInAnyPackage(LIBRARIES)
                .should()
                .dependOnClassesThat(describe(
                        "are the door's own",
                        type -> List.of("NativeKernel", "FilePersister", "DataFile", "SystemFiles").stream()
                                .anyMatch(name -> type.getFullName().equals(DOOR + '.' + name)
                                        || type.getFullName().startsWith(DOOR + '.' + name + '$')))));
    }

    @Test
    void shouldKeepReadersFromStoring() {
        check(noClasses()
                .that()
                .resideInAPackage("io.fenceline.tailer..")
                .should()
                .dependOnClassesThat(resideInAPackage("io.fenceline.appender.."))
                .orShould()
                .accessTargetWhere(accessTo(
                        "Persister",
                        Set.of(DOOR + ".Persister"),
                        Set.of("store", "persist", "persistFrame", "persistEntry", "rewrite", "drain", "sync"))));
        check(noClasses()
                .that()
                .resideInAPackage("io.fenceline.appender..")
                .should()
                .dependOnClassesThat(resideInAPackage("io.fenceline.tailer..")));
        check(noClasses()
                .that()
                .resideInAPackage("io.fenceline.journal..")
                .should()
                .dependOnClassesThat(resideInAnyPackage(
                        "io.fenceline.appender..", "io.fenceline.tailer..", "io.fenceline.tools..", "com.lmax..")));
    }

    @Test
    void shouldNeitherPrintNorExit() {
        check(noClasses()
                .that()
                .resideInAnyPackage(LIBRARIES)
                .should()
                .accessTargetWhere(accessTo(
                        "the console, or the end of the JVM",
                        Set.of("java.lang.System", "java.lang.Runtime", "java.lang.IO"),
                        Set.of("out", "err", "exit", "halt", "println", "print")))
                .orShould()
                .accessTargetWhere(
                        accessTo("printStackTrace", Set.of("java.lang.Throwable"), Set.of("printStackTrace")))
                .orShould()
                .dependOnClassesThat(resideInAnyPackage("java.util.logging..", "org.slf4j..")));
    }
}

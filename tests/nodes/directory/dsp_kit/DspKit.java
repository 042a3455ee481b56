import java.io.FileReader;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import org.eclipse.dataspacetck.core.system.ConsoleMonitor;
import org.eclipse.dataspacetck.runtime.TckRuntime;

/** The official test kit of the Dataspace Protocol with the properties of a file; one line a failure, and the totals at the end. */
public class DspKit {
    public static void main(String[] args) throws Exception {
        var properties = new Properties();
        try (var reader = new FileReader(args[0])) {
            properties.load(reader);
        }
        Map<String, String> settings = new HashMap<>();
        properties.forEach((name, value) -> settings.put(name.toString(), value.toString()));
        settings.put("dataspacetck.launcher", "org.eclipse.dataspacetck.dsp.system.DspSystemLauncher");
        var summary = TckRuntime.Builder.newInstance()
                .properties(settings)
                .monitor(new ConsoleMonitor(false, false))
                .addPackage("org.eclipse.dataspacetck.dsp.verification")
                .build()
                .execute();
        summary.getFailures().forEach(one -> System.out.println(
                "FAILED " + one.getTestIdentifier().getDisplayName() + " | " + String.valueOf(one.getException()).replace('\n', ' ')));
        System.out.println("TOTALS found=" + summary.getTestsFoundCount() + " passed=" + summary.getTestsSucceededCount()
                + " failed=" + summary.getTestsFailedCount() + " skipped=" + summary.getTestsSkippedCount());
        System.exit(summary.getTestsFailedCount() == 0 ? 0 : 1);
    }
}

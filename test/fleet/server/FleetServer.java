import org.eclipse.hawkbit.autoconfigure.security.EnableHawkbitManagedSecurityConfiguration;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;

/** hawkBit comes as a library: all that it needs is a class to start from. */
@EnableAutoConfiguration
@EnableHawkbitManagedSecurityConfiguration
public class FleetServer {
    public static void main(String[] arguments) {
        SpringApplication.run(FleetServer.class, arguments);
    }
}

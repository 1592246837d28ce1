// Jakarta Mail: java -cp JARS Mail.java PROTOCOL HOST PORT MODE MECHANISM USER SECRET CLIENT
import java.util.Properties;
import javax.mail.*;
import javax.mail.internet.*;

public class Mail {
    public static void main(String[] a) throws Exception {
        String kind = a[0], mode = a[3], how = a[4], p = "mail." + kind + (mode.equals("implicit") ? "s" : "") + ".";
        java.security.Security.setProperty("jdk.tls.disabledAlgorithms", "");
        Properties set = new Properties();
        set.put(p + "host", a[1]); set.put(p + "port", a[2]); set.put(p + "timeout", "12000"); set.put(p + "localhost", a[7]);
        set.put(p + "ssl.trust", "*"); set.put(p + "ssl.checkserveridentity", "false"); set.put(p + "auth", String.valueOf(!how.equals("none")));
        set.put(p + "ssl.protocols", "TLSv1 TLSv1.1 TLSv1.2 TLSv1.3");
        if (mode.equals("starttls")) { set.put(p + "starttls.enable", "true"); set.put(p + "starttls.required", "true"); }
        if (!how.equals("auto") && !how.equals("none") && !how.equals("IMAP-LOGIN") && !how.equals("USERPASS")) set.put(p + "auth.mechanisms", how);
        if (how.equals("IMAP-LOGIN")) { set.put(p + "auth.plain.disable", "true"); set.put(p + "auth.login.disable", "true"); }
        if (how.equals("XOAUTH2") && kind.equals("pop3")) set.put(p + "auth.xoauth2.two.line.authentication.format", "true");
        Session session = Session.getInstance(set);
        String scheme = kind + (mode.equals("implicit") ? "s" : "");
        if (kind.equals("smtp")) {
            MimeMessage mail = new MimeMessage(session);
            mail.setFrom("a@example.com"); mail.setRecipients(Message.RecipientType.TO, "b@example.net"); mail.setSubject("lab"); mail.setText("scan");
            mail.saveChanges();
            Transport out = session.getTransport(scheme);
            if (how.equals("none")) out.connect(); else out.connect(a[5], a[6]);
            out.sendMessage(mail, mail.getAllRecipients()); out.close();
        } else {
            Store store = session.getStore(scheme); store.connect(a[5], a[6]);
            Folder box = store.getFolder("INBOX"); box.open(Folder.READ_ONLY); box.getMessageCount(); box.close(false); store.close();
        }
    }
}

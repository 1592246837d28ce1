# Perl's mail modules: perl perl.pl MODULE PROTOCOL HOST PORT MODE MECHANISM USER SECRET CLIENT
use strict; use warnings;
use IO::Socket::SSL;
IO::Socket::SSL::set_defaults(SSL_verify_mode => 0);
my ($module, $protocol, $host, $port, $mode, $mechanism, $user, $secret, $client) = @ARGV;
my @trust = (SSL_verify_mode => 0);
my $blob = "user=$user\x01auth=Bearer $secret\x01\x01";
if ($module eq "Net::SMTP") {
    require Net::SMTP; require Authen::SASL;
    my $smtp = Net::SMTP->new($host, Port => $port, Hello => $client, Timeout => 12, SSL => $mode eq "implicit", @trust) or die $@;
    $smtp->starttls(@trust) or die if $mode eq "starttls";
    if ($mechanism ne "none") {
        my $sasl = Authen::SASL->new(mechanism => $mechanism, callback => { user => $user, pass => $secret, authname => $user });
        $smtp->auth($sasl) or do { $smtp->quit; exit 1 };
    }
    if ($smtp->mail('a@example.com') && $smtp->to('b@example.net')) { $smtp->data("Subject: lab\n\nscan\n") }
    $smtp->quit;
} elsif ($module eq "Net::POP3") {
    require Net::POP3;
    my $pop = Net::POP3->new($host, Port => $port, Timeout => 12, SSL => $mode eq "implicit", @trust) or die $@;
    $pop->starttls(@trust) or die if $mode eq "starttls";
    $pop->list if defined $pop->login($user, $secret);
    $pop->quit;
} elsif ($module eq "Mail::IMAPClient") {
    require Mail::IMAPClient;
    my %how = $mode eq "implicit" ? (Ssl => [@trust]) : (Starttls => [@trust]);
    my %login = $mechanism eq "XOAUTH2"
        ? (Authmechanism => "XOAUTH2", Authcallback => sub { require MIME::Base64; MIME::Base64::encode_base64($blob, "") })
        : $mechanism eq "IMAP-LOGIN" ? () : (Authmechanism => $mechanism);
    my $imap = Mail::IMAPClient->new(Server => $host, Port => $port, User => $user, Password => $secret, Timeout => 12, %how, %login) or die $@;
    $imap->select("INBOX"); $imap->logout;
} elsif ($module eq "Mail::POP3Client") {
    require Mail::POP3Client;
    my $pop = Mail::POP3Client->new(HOST => $host, PORT => $port, USER => $user, PASSWORD => $secret, USESSL => $mode eq "implicit", AUTH_MODE => "PASS", TIMEOUT => 12);
    $pop->Count; $pop->Close;
} elsif ($module eq "Net::IMAP::Simple") {
    require Net::IMAP::Simple;
    my $imap = Net::IMAP::Simple->new("$host:$port", use_ssl => $mode eq "implicit", timeout => 12) or die;
    if ($mode eq "starttls") { $imap->starttls or die }
    if ($imap->login($user, $secret)) { $imap->select("INBOX") }
    $imap->quit;
}

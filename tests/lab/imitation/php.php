<?php // PHP's mail libraries: php php.php NAME PROTOCOL HOST PORT MODE MECHANISM USER SECRET CLIENT
[$self, $name, $protocol, $host, $port, $mode, $mechanism, $user, $secret, $client] = $argv;
if ($name === "PHPMailer") {
    require "/usr/share/php/libphp-phpmailer/autoload.php";
    class Token implements PHPMailer\PHPMailer\OAuthTokenProvider {
        public function __construct(private string $blob) {}
        public function getOauth64() { return base64_encode($this->blob); }
    }
    $mail = new PHPMailer\PHPMailer\PHPMailer(false);
    $mail->isSMTP(); $mail->Host = $host; $mail->Port = (int)$port; $mail->Timeout = 12; $mail->Helo = $client;
    $mail->SMTPSecure = $mode === "implicit" ? "ssl" : "tls";
    $mail->SMTPOptions = ["ssl" => ["verify_peer" => false, "verify_peer_name" => false, "security_level" => 0]];
    if ($mechanism !== "none") {
        $mail->SMTPAuth = true; $mail->Username = $user; $mail->Password = $secret;
        if ($mechanism !== "auto") $mail->AuthType = $mechanism;
        if ($mechanism === "XOAUTH2") $mail->setOAuth(new Token("user=$user\x01auth=Bearer $secret\x01\x01"));
    }
    $mail->setFrom("a@example.com"); $mail->addAddress("b@example.net"); $mail->Subject = "lab"; $mail->Body = "scan";
    echo $mail->send() ? "sent" : $mail->ErrorInfo;
} elseif ($name === "php-imap") {
    $kind = $protocol === "imap" ? "imap" : "pop3";
    $flags = $mode === "implicit" ? "/ssl" : "/tls";
    $box = @imap_open("{{$host}:$port/$kind$flags/novalidate-cert}INBOX", $user, $secret, 0, 1, $mechanism === "IMAP-LOGIN" ? ["DISABLE_AUTHENTICATOR" => ["PLAIN", "LOGIN", "CRAM-MD5", "GSSAPI", "NTLM"]] : []);
    if ($box) { imap_num_msg($box); imap_close($box); } else { print_r(imap_errors()); }
} elseif ($name === "php-curl") {
    $curl = curl_init(($mode === "implicit" ? $protocol . "s" : $protocol) . "://$host:$port/");
    curl_setopt_array($curl, [CURLOPT_USE_SSL => CURLUSESSL_ALL, CURLOPT_SSL_VERIFYPEER => false, CURLOPT_SSL_VERIFYHOST => 0, CURLOPT_TIMEOUT => 12, CURLOPT_RETURNTRANSFER => true, CURLOPT_USERNAME => $user, CURLOPT_PASSWORD => $secret]);
    if ($mechanism === "XOAUTH2") curl_setopt($curl, CURLOPT_XOAUTH2_BEARER, $secret);
    curl_exec($curl); echo curl_error($curl);
}

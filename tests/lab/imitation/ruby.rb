# Ruby's own mail libraries: ruby ruby.rb PROTOCOL HOST PORT MODE MECHANISM USER SECRET CLIENT
require "net/smtp"
require "net/imap"
require "net/pop"
protocol, host, port, mode, mechanism, user, secret, client = ARGV
port = port.to_i
implicit = mode == "implicit"
trusting = OpenSSL::SSL::SSLContext.new
trusting.verify_mode = OpenSSL::SSL::VERIFY_NONE
trusting.min_version = OpenSSL::SSL::TLS1_VERSION
begin
  case protocol
  when "smtp"
    smtp = Net::SMTP.new(host, port)
    implicit ? smtp.enable_tls(trusting) : smtp.enable_starttls(trusting)
    smtp.open_timeout = smtp.read_timeout = 12
    login = mechanism == "none" ? [] : [user, secret, mechanism.downcase.tr("-", "_").to_sym]
    smtp.start(client, *login) { |one| one.send_message("Subject: lab\r\n\r\nscan\r\n", "a@example.com", "b@example.net") }
  when "imap"
    options = { port: port }
    options[:ssl] = { verify_mode: OpenSSL::SSL::VERIFY_NONE } if implicit
    imap = Net::IMAP.new(host, **options)
    imap.starttls({ verify_mode: OpenSSL::SSL::VERIFY_NONE }) unless implicit
    begin
      if mechanism == "IMAP-LOGIN" then imap.login(user, secret)
      elsif mechanism != "none" then imap.authenticate(mechanism, user, secret)
      end
      imap.examine("INBOX")
      imap.uid_search(["ALL"])
    ensure
      imap.logout
      imap.disconnect
    end
  when "pop3"
    pop = Net::POP3.new(host, port)
    pop.enable_ssl(OpenSSL::SSL::VERIFY_NONE)
    pop.start(user, secret) { |one| one.mails.size }
  end
rescue StandardError => e
  warn "#{e.class}: #{e.message}"
end

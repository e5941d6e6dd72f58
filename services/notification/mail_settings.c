/* mail_settings.c - is `mail` in the settings such that mail can be sent? */
#include "mail_settings.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "avvik/v1/common.pb-c.h"
#include "mail.h"
#include "templates.h"
#include "wire/rules.h"

#define FAULT(name) AVVIK__V1__FAULT_CODE__FAULT_CODE_##name

bool mail_by_smtp(const Avvik__V1__Mail *mail)
{
	return mail && strcmp(mail->transport, "smtp") == 0;
}

const char *mail_domain(const Avvik__V1__Mail *mail)
{
	const char *at = mail ? strchr(mail->from, '@') : NULL;

	if (mail && mail->domain[0] != '\0')
		return mail->domain;
	return at && at[1] ? at + 1 : "avvik.invalid";
}

const char *mail_password_path(const Avvik__V1__Mail *mail, struct av_arena *arena)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY"), *slash = strrchr(mail->password_file, '/');
	const char *name = slash ? slash + 1 : mail->password_file;

	if (folder && *folder && *name) {
		const char *path = av_arena_printf(arena, "%s/%s", folder, name);
		if (path && access(path, R_OK) == 0)
			return path;
	}
	return mail->password_file;
}

/* "smtp://host:port": the host with its length; NULL for another form. */
static const char *server_host(const char *server, size_t *ret_size)
{
	const char *host = strncmp(server, "smtp://", 7) == 0	 ? server + 7
			   : strncmp(server, "smtps://", 8) == 0 ? server + 8
								 : NULL;
	if (!host || strpbrk(host, "@ \t?#"))
		return NULL;
	size_t size = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/");
	*ret_size = size;
	return size > 0 && strlen(host) >= size ? host : NULL;
}

bool mail_server_is_loopback(const char *server)
{
	size_t size = 0;
	const char *host = server_host(server, &size);

	if (!host)
		return false;
	if (size >= 4 && strncmp(host, "127.", 4) == 0)
		return strspn(host, "0123456789.") == size; /* not a name that begins like an address */
	return (size == 9 && strncmp(host, "localhost", 9) == 0) ||
	       (size == 5 && strncmp(host, "[::1]", 5) == 0);
}

static void check_smtp(const Avvik__V1__Mail *mail, struct av_faults *faults)
{
	bool none = strcmp(mail->tls, "none") == 0;
	size_t size;

	if (!server_host(mail->server, &size))
		av_fault(faults, FAULT(REQUIRED), "mail.server",
			"name the mail server as smtp://host:port or smtps://host:port");
	if (mail->tls[0] != '\0' && !none && strcmp(mail->tls, "required") != 0)
		av_fault(faults, FAULT(UNKNOWN_VALUE), "mail.tls",
			"say required, or none for a server on this machine");
	if (none && !mail_server_is_loopback(mail->server))
		av_fault(faults, FAULT(NOT_ALLOWED), "mail.tls",
			"mail leaves this machine only encrypted: say required, or let mail.server be a "
			"loopback address");
	if (!av_is_mail(mail->from))
		av_fault(faults, FAULT(REQUIRED), "mail.from", "give the address that mails come from");
	if (mail->user[0] != '\0' && mail->password_file[0] == '\0')
		av_fault(faults, FAULT(REQUIRED), "mail.password_file",
			"name the file that holds the password of mail.user");
	if (mail->user[0] == '\0' && mail->password_file[0] != '\0')
		av_fault(faults, FAULT(REQUIRED), "mail.user",
			"name the user whose password mail.password_file holds");
	if (mail->user[0] != '\0' && none)
		av_fault(faults, FAULT(CONTRADICTION), "mail.tls",
			"a password is sent only encrypted: say required");
	if (mail->password_file[0] != '\0' && access(mail_password_path(mail, faults->arena), R_OK) != 0)
		av_fault(faults, FAULT(UNKNOWN_REFERENCE), "mail.password_file",
			"the file cannot be read: check its place and mode");
	if (mail->ca_file[0] != '\0' && access(mail->ca_file, R_OK) != 0)
		av_fault(faults, FAULT(UNKNOWN_REFERENCE), "mail.ca_file",
			"the file cannot be read: check its place and mode");
}

int check_mail_settings(const Avvik__V1__Settings *settings, struct av_faults *faults)
{
	const Avvik__V1__Mail *mail = settings->mail;
	size_t before = faults->count;

	if (mail && mail->transport[0] != '\0' && !mail_by_smtp(mail) &&
		strcmp(mail->transport, "maildir") != 0)
		av_fault(faults, FAULT(UNKNOWN_VALUE), "mail.transport", "say smtp, or maildir for a folder");
	if (mail_by_smtp(mail))
		check_smtp(mail, faults);
	if (mail && mail->from[0] != '\0' && !av_is_mail(mail->from) && !mail_by_smtp(mail))
		av_fault(faults, FAULT(MALFORMED), "mail.from", "is no address; write it as name@domain");

	struct templates *templates = templates_open(settings->templates);
	if (!templates)
		return AV_MEMORY;
	templates_faults(templates, faults);
	templates_close(&templates);
	return faults->count == before ? AV_OK : AV_INVALID;
}

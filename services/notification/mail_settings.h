/* mail_settings.h - is `mail` in the settings such that mail can be sent? Every fault with its remedy. */
#ifndef NOTIFICATION_MAIL_SETTINGS_H
#define NOTIFICATION_MAIL_SETTINGS_H

#include "avvik/v1/settings.pb-c.h"
#include "wire/message.h"

/* Also checks the templates. AV_INVALID when there is a fault. */
int check_mail_settings(const Avvik__V1__Settings *settings, struct av_faults *faults);
/* "smtp://127.0.0.1:25", "smtp://localhost", "smtp://[::1]:25": this machine itself. */
bool mail_server_is_loopback(const char *server);
bool mail_by_smtp(const Avvik__V1__Mail *mail);
/* mail.domain, else that of mail.from. Never NULL. */
const char *mail_domain(const Avvik__V1__Mail *mail);
/* Where the password lies: among the service's credentials when it is there, else as the settings say. In the
 * arena. */
const char *mail_password_path(const Avvik__V1__Mail *mail, struct av_arena *arena);

#endif

/* mail.h - one message as RFC 5322 and MIME ask: pure, from texts to bytes.
 *
 * UTF-8 throughout: headers as encoded words (RFC 2047), the body quoted-printable (RFC 2045), lines of at
 * most 76 characters ended by CR LF. Dots at the start of lines are doubled by the one who speaks SMTP.
 */
#ifndef NOTIFICATION_MAIL_H
#define NOTIFICATION_MAIL_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/ids.h"

struct mail {
	const char *from, *from_name; /* name may be NULL or empty */
	const char *to, *to_name;
	const char *subject, *body;
	const char *message_id; /* without angle brackets */
	int64_t date_ms;
};

/* Control characters in values of headers become spaces, so that no value can add a header. The message lives
 * in the arena; data is NULL when out of memory. */
struct av_bytes mail_build(const struct mail *mail, struct av_arena *arena);

/* "<notice id>@<domain>": the same for every attempt. */
const char *mail_message_id(const struct av_id *notice_id, const char *domain, struct av_arena *arena);
/* "Tue, 07 Apr 2026 09:00:00 +0200" */
#define MAIL_DATE_TEXT 40
void mail_date(int64_t at_ms, char ret_text[MAIL_DATE_TEXT]);

#endif

/* transport.h - what carries a mail away: SMTP, or a folder. On the loop thread.
 *
 * A transport takes a mail, whose memory stays as it is until the end was told, and tells how it ended
 * exactly once, never from within `send`. After `close` nothing is told any more.
 */
#ifndef NOTIFICATION_TRANSPORT_H
#define NOTIFICATION_TRANSPORT_H

#include "base/bytes.h"
#include "base/ids.h"
#include "outcome.h"

struct transport_mail {
	struct av_id id;       /* of the notice: the same for every attempt */
	const char *from, *to; /* addresses that have been checked */
	struct av_bytes message;
	void *owner;
};

/* perhaps_sent: there was no clear answer after the whole message had gone. */
typedef void transport_end(void *context, void *owner, enum outcome outcome, bool perhaps_sent);

struct transport {
	void (*send)(struct transport *self, const struct transport_mail *mail);
	size_t (*busy)(const struct transport *self); /* mails under way */
	/* Ends what is under way without telling; frees the transport once the loop has closed its handles.
	 */
	void (*close)(struct transport *self);
};

struct smtp_options {
	const char *server;	   /* smtp://host:port or smtps://host:port */
	const char *domain;	   /* said in EHLO */
	bool tls_required;	   /* false: only to a loopback server */
	const char *ca_file;	   /* empty: the system's */
	const char *user;	   /* empty: no authentication */
	const char *password_file; /* read for every mail, so that it can be changed */
	unsigned int timeout_seconds;
	transport_end *on_end;
	void *context;
};
/* The texts of the options must outlive it. `loop` is a uv_loop_t *. AV_MEMORY, AV_INTERNAL. */
int smtp_open(void *loop, const struct smtp_options *options, struct transport **ret_transport);

/* A maildir: made when it does not exist. The name of a mail follows from the notice, so that a repetition
 * takes its place. AV_IO: the folder cannot be made. */
int maildir_open(
	void *loop, const char *path, transport_end *on_end, void *context, struct transport **ret_transport);

#endif

/* outcome.h - how an attempt to deliver ended: a code and words of our own, never the server's text. */
#ifndef NOTIFICATION_OUTCOME_H
#define NOTIFICATION_OUTCOME_H

#include <stdbool.h>

/*      name                code                   final  mail server's fault  words, with the remedy */
#define OUTCOME_LIST(X) /* clang-format off */ \
	X(DELIVERED,        "delivered",           true,  false, "delivered") \
	X(UNREACHABLE,      "server_unreachable",  false, true,  "the mail server does not answer: check mail.server and the network") \
	X(TLS_FAILED,       "tls_failed",          false, true,  "no encrypted connection: check mail.ca_file and the server's certificate") \
	X(AUTH_FAILED,      "auth_failed",         false, true,  "the mail server does not accept mail.user and its password") \
	X(SERVER_REFUSED,   "server_refused",      false, true,  "the mail server accepts no mail from this instance: check mail.from and its rules") \
	X(NOT_NOW,          "refused_for_now",     false, false, "the mail server said: later") \
	X(REFUSED,          "refused",             true,  false, "the mail server refuses this address or message for good") \
	X(TIMED_OUT,        "timed_out",           false, true,  "the mail server was too slow: see mail.timeout_seconds") \
	X(CUT_OFF,          "connection_lost",     false, true,  "the mail server hung up") \
	X(CONTACT_MISSING,  "contact_missing",     false, false, "the address has not arrived yet: publish a directory with it") \
	X(NO_ADDRESS,       "no_address",          true,  false, "no usable mail address: correct it in the directory") \
	X(TEMPLATE_MISSING, "template_missing",    false, false, "the template is missing or faulty: see the template folder") \
	X(FOLDER_FAILED,    "folder_failed",       false, true,  "the mail folder cannot be written: check mail.maildir and the disk") \
	X(CASE_CLOSED,      "case_closed",         true,  false, "the case was closed before it was sent") \
	X(INTERNAL,         "internal",            false, false, "an internal error: see the log") /* clang-format on */

enum outcome {
#define X(name, code, final, server, words) OUTCOME_##name,
	OUTCOME_LIST(X)
#undef X
		OUTCOME_COUNT
};

/* Static, never NULL; also for a number that is none. */
const char *outcome_code(int outcome);
const char *outcome_words(int outcome);
const char *outcome_words_of(const char *code);
bool outcome_final(int outcome);  /* trying again would not help */
bool outcome_server(int outcome); /* concerns all mail, not this one */

/* What the loop tells the writer: the inner items of this daemon. */
enum inner_kind {
	/* The daemon has started: attempts that an earlier run left behind are over. Data: the run counter at
	   start, u64. */
	INNER_STARTED,
	INNER_ENDED /* a struct delivery_ended */
};
struct delivery_ended {
	unsigned char leader[16]; /* notice id */
	unsigned int attempt;
	int outcome;
	bool perhaps_sent; /* there was no clear answer after the whole message had gone */
};

#endif

/* tool.h - what every subcommand of `avvik` uses: the instance it talks to, calls, output, errors.
 *
 * A subcommand is one file with one public function, int command_<name>(struct tool *tool, int argc, char
 * **argv), argv[0] being its name. It returns the exit code. Output goes to standard output, errors and
 * progress to standard error. With
 * --json (taken from anywhere on the line by main) it prints JSON only.
 *
 * Exit codes, in sysexits' spirit: 0 done; 1 refused or not true (verify, status with issues); 2 the call's
 * words are off; 3 a daemon is away; 4 some of many were refused.
 */
#ifndef AVVIK_TOOL_H
#define AVVIK_TOOL_H

#include <stdbool.h>
#include <stdio.h>
#include "avvik/client.h"
#include "avvik/v1/settings.pb-c.h"
#include "base/arena.h"
#include "base/ids.h"
#include "wire/message.h"

enum tool_exit { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_AWAY = 3, EXIT_SOME = 4 };
enum tool_daemon { DAEMON_INTAKE, DAEMON_WORKFLOW, DAEMON_NOTIFICATION, DAEMON_REPORTING, DAEMON_COUNT };
extern const char *const daemon_names[DAEMON_COUNT];

struct tool {
	/* From the words before and among the subcommand's: */
	const char *settings_path; /* --settings FILE, else $AVVIK_SETTINGS, else state/avvik.yaml, else
				      /etc/avvik/avvik.yaml */
	const char *key_name;	   /* --key NAME: whose key signs in; else the subcommand's own */
	const char *person;	   /* --as PERSON: who acts; NULL: nobody */
	bool json;		   /* --json */
	/* Made when first needed: */
	const Avvik__V1__Settings *settings;
	const char *folder; /* where the settings lie */
	struct av_client *clients[DAEMON_COUNT];
	struct av_arena *arena; /* lives as long as the process */
	const char *program;	/* argv[0]: the daemons lie beside it */
	const char *subcommand; /* whose usage is shown when its words are off */
};

struct subcommand {
	const char *name;
	int (*run)(struct tool *tool, int argc, char **argv);
	const char *key;     /* whose key signs in unless --key says: "admin", "casework", "publisher" */
	const char *summary; /* one line */
	const char *usage;   /* words after the name, and below it paragraphs and an example */
};
extern const struct subcommand subcommands[];
extern const size_t subcommand_count;
/* "usage: avvik NAME …" of the subcommand to standard error; answers EXIT_USAGE. */
int tool_usage(const char *name);
/* "avvik: what went wrong: what to do", to standard error; answers `code`. */
int tool_fail(int code, const char *format, ...) AV_PRINTF(2, 3);

/* May a principal, and so its key's file, be called so? False: told. */
bool tool_name_sound(const char *name);
/* The settings, with every fault printed when they have some. NULL: told already, exit with EXIT_USAGE. */
const Avvik__V1__Settings *tool_settings(struct tool *tool);
/* The instance's folders and files, by the same rules as the daemons'. In the tool's arena; NULL: told
 * already. */
const char *tool_path(struct tool *tool, const char *format, ...)
	AV_PRINTF(2, 3); /* below the state folder */
const char *tool_key_path(struct tool *tool, const char *format, ...)
	AV_PRINTF(2, 3);						 /* below the keys folder */
const char *tool_server_key(struct tool *tool, enum tool_daemon daemon); /* Z85 */
const Avvik__V1__Endpoints *tool_endpoints(struct tool *tool, enum tool_daemon daemon);
/* Options for av_client_open, av_feed_open and so on: `endpoint` as given. false: told already. */
bool tool_client_options(struct tool *tool, enum tool_daemon daemon, const char *endpoint,
	struct av_client_options *ret_options);

/* The connection to a daemon's command socket, made when first needed. NULL: told already. */
struct av_client *tool_client(struct tool *tool, enum tool_daemon daemon);
/* One command and its reply. command->on_behalf_of is set from --as; the reference is left as it is for
 * orders (made anew when it is empty: then the order is not safe to repeat by running the tool again, so
 * commands that can should set one that follows from what is ordered). NULL: no reply, told already
 * (EXIT_AWAY). Refusals are replies. Free with tool_reply_free. */
Avvik__V1__Reply *tool_call(struct tool *tool, enum tool_daemon daemon, Avvik__V1__Command *command);
void tool_reply_free(Avvik__V1__Reply **reply);
/* Prints why a reply is a refusal: its sentence, then a line per fault ("  field: sentence"), with --json the
 * reply as JSON. Answers the exit code, EXIT_DONE when it was none (circumstances that were kept are then
 * printed as remarks). */
int tool_refused(struct tool *tool, const Avvik__V1__Reply *reply);
/* call + refused: AV_OK when done, and the reply to read; otherwise *ret_exit. */
bool tool_ask(struct tool *tool, enum tool_daemon daemon, Avvik__V1__Command *command,
	Avvik__V1__Reply **ret_reply, int *ret_exit);

/* A message as JSON on standard output. */
void tool_print_json(struct tool *tool, const ProtobufCMessage *message);
/* Names people use: a case by its number ("2026-0042") or its UUID. AV_NOT_FOUND
 * told already. */
int tool_case_id(struct tool *tool, const char *text, struct av_id *ret_id);
const char *tool_id_text(struct tool *tool, ProtobufCBinaryData id); /* UUID in the arena; "" when empty */
const char *tool_time(struct tool *tool, int64_t at_ms);	     /* "2026-04-01 08:00"; "" for 0 */
const char *tool_day(struct tool *tool, int32_t on);		     /* "2026-04-01"; "" for 0 */
/* "2026-04-01 08:00", "2026-04-01", RFC 3339, "now". AV_INVALID told already, naming `option` unless NULL. */
int tool_parse_time(struct tool *tool, const char *option, const char *text, int64_t *ret_ms);
/* The instant it is for this instance: the stepped clock's when it has one. */
int64_t tool_now_ms(struct tool *tool);

/* Options of a subcommand: a table, parsed once. Unknown words are told with the usage. */
enum option_kind { OPTION_TEXT, OPTION_FLAG, OPTION_NUMBER, OPTION_TIME, OPTION_DAY };
struct tool_option {
	const char *name; /* without -- */
	enum option_kind kind;
	void *target; /* const char **, bool *, int64_t *, int64_t * (ms), int32_t * (day) */
};
/* Fills targets; what is not an option goes to `rest` in order (at most rest_max). Answers how many, or -1:
 * told already. */
int tool_options(struct tool *tool, int argc, char **argv, const struct tool_option *options, size_t count,
	const char **rest, int rest_max);

#endif

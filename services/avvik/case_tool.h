/* case_tool.h - what the files of `avvik case` share. */
#ifndef AVVIK_CASE_TOOL_H
#define AVVIK_CASE_TOOL_H

#include "names.h"
#include "tool.h"

/* --- the table of acts --- */

#define CASE_WORDS_MAX 12

struct case_word {
	const char *option; /* without -- */
	const char *field;  /* of the act's message; "reporter.name" of one inside it */
	const char *value;  /* a flag: what it sets; NULL: the word takes a value */
	char group;	    /* of words with the same group exactly one is given */
};

struct case_act {
	const char *name;
	Avvik__V1__ActOnCase__ActCase number;
	const char *meaning, *done; /* what it is for; what is said when it is done */
	bool measure;		    /* the next word after the case says which */
	struct case_word words[CASE_WORDS_MAX];
	bool deadline; /* the next word after the case says which deadline */
};
extern const struct case_act case_acts[];
extern const size_t case_act_count;

/* --- what the subcommand's parts do --- */

/* The case by number or id, as workflow has it now. NULL: told. Free the reply; the case lives in it. */
const Avvik__V1__Case *case_fetch(
	struct tool *tool, const char *text, Avvik__V1__Reply **ret_reply, int *ret_code);

int case_show(struct tool *tool, int argc, char **argv);
int case_list(struct tool *tool, int argc, char **argv);
/* What still runs, also checks after the case is closed: the first line is the next, or overdue. The exit code. */
int case_deadlines_print(struct tool *tool, struct names *names, const Avvik__V1__Case *found);
/* Which deadlines of a unit ("": all) are overdue, asked once for a whole list of cases. `ret_late` begins at NULL. The exit code. */
struct case_late;
int case_late_ask(struct tool *tool, const char *unit, struct case_late **ret_late);
/* "D5, D3": the oldest first. */
const char *case_late_text(struct tool *tool, const struct case_late *late, const Avvik__V1__Case *found);
int case_document(struct tool *tool, int argc, char **argv);
/* JOIN: the version of the other case as it is read now (case_joins.c). Anything but AV_OK: told. */
int case_join_seen(struct tool *tool, Avvik__V1__JoinCase *join);
/* CORRECT: narrative, persons and reporter from a file of the report as it should be. Anything but AV_OK: told. */
int case_correct_report(struct tool *tool, const char *path, Avvik__V1__CorrectContent *correct);
/* What was wrong is erased by its holder. The exit code. */
int case_correct_erase(struct tool *tool, const char *number, Avvik__V1__Grant *grant);
/* Where the report is handled, which others are handled here, what may be the same event, what was corrected. */
void case_joins_print(struct tool *tool, const Avvik__V1__Case *found);
void case_joins_tell(struct tool *tool, const Avvik__V1__Case *found, bool swedish); /* in short, for `why` */

/* argv[0] is the act; *ret_known is left alone when there is no such act. */
int case_do(struct tool *tool, int argc, char **argv, bool *ret_known);
/* What the tool calls an act that the rule pack calls "inform_affected": "inform". */
const char *case_act_word(const char *name);
/* The acts and their words; one act when `only` is not NULL. */
int case_acts_list(const struct tool *tool, const char *only);

#endif

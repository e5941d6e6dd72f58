/* names.h - what people call things: units and persons from the directory in force, deadlines and roles from the rule
 * packs. Asked of intake when first needed; when intake is away the codes stand for themselves. */
#ifndef AVVIK_NAMES_H
#define AVVIK_NAMES_H

#include "tool.h"

#define NAMES_PACKS 16

struct named_person {
	const char *id, *name; /* the id twice: intake gives no name */
	struct named_person *next;
};

struct names {
	struct tool *tool;
	const Avvik__V1__Directory *directory;
	const Avvik__V1__RulePack *packs[NAMES_PACKS];
	size_t pack_count;
	struct named_person *people; /* those asked for, the first last */
	bool away, no_directory;     /* asked in vain */
};

static inline struct names names_of(struct tool *tool)
{
	return (struct names){.tool = tool};
}

/* NULL: none. Live as long as the tool. */
const Avvik__V1__Directory *names_directory(struct names *names);
/* version "" or NULL: the one in force. */
const Avvik__V1__RulePack *names_rules(struct names *names, const char *version);
const Avvik__V1__DeadlineRule *names_rule(struct names *names, const char *version, const char *rule);

const char *names_unit(struct names *names, const char *code); /* "Solgläntan" */
/* "Saga Samordnare", for who may read content (--as); of who has left, and for others, the id. */
const char *names_person(struct names *names, const char *id);
/* "hand in the investigation to IVO" */
const char *names_deadline(struct names *names, const char *version, const char *rule, bool swedish);
const char *names_role(struct names *names, const char *role, bool swedish); /* "the head of department" */
/* "the investigator and SAS" */
const char *names_recipients(
	struct names *names, Avvik__V1__Recipient *const *recipients, size_t count, bool swedish);
/* A code of a rule pack's list by its Swedish name, else the code. */
const char *names_code(Avvik__V1__Code *const *codes, size_t count, const char *code);
/* Why a notice reached nobody: "nobody holds the role". */
const char *names_unreachable(const char *why);
/* "reminder", "last day" ... */
const char *names_rung(Avvik__V1__RungKind kind, bool swedish);
/* "the report has been received" */
const char *names_anchor(Avvik__V1__Anchor anchor, bool swedish);

#endif

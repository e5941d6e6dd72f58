/* document_words.h - the Swedish of the case document: events, fields, values. */
#ifndef AVVIK_DOCUMENT_WORDS_H
#define AVVIK_DOCUMENT_WORDS_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

enum document_section { /* where an act is told in full; the course of the case names all */
	IN_COURSE,	/* there alone */
	IN_REPORT,
	IN_REMEDIES,
	IN_INFORMING,
	IN_INQUIRY,
	IN_DECISIONS,
	IN_IVO,
	IN_MEASURES,
	IN_CLOSING,
	IN_CORRECTIONS,
	IN_NONE /* not an act: a deadline's ledger, a reading */
};
struct document_kind {
	const char *message; /* "CaseDecided" */
	enum document_section section;
	const char *title;
	const char *text; /* what its text is, where that is not plain from the title; NULL: it is */
};
/* Never NULL: an event of a later version belongs to the course, by its own name. */
const struct document_kind *document_kind(const char *message);

enum document_show {
	SHOW_PLAIN,
	SHOW_BOTH,
	SHOW_PERSON,
	SHOW_UNIT,
	SHOW_CATEGORY,
	SHOW_CAUSE,
	SHOW_REASON,
	SHOW_RULE
};
struct document_field {
	const char *field, *name;
	enum document_show show; /* BOTH: of a bool, also that it is not */
};
/* NULL: not told. */
const struct document_field *document_field_word(const char *field);

/* "allvarligt missförhållande"; "" for UNSPECIFIED; of a later version: its own name. */
const char *document_word(const ProtobufCEnumDescriptor *type, int value);
/* 1 to 10 of SOSFS 2011:5 5 kap. */
const char *document_item(unsigned int item);

#endif

/* intake_support.h - messages from YAML, and faults by path, for the tests of intake's rules. */
#ifndef AVVIK_TESTS_INTAKE_SUPPORT_H
#define AVVIK_TESTS_INTAKE_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "avvik/v1/directory.pb-c.h"
#include "avvik/v1/report.pb-c.h"
#include "avvik/v1/rules.pb-c.h"
#include "base/date.h"
#include "wire/message.h"

#define FAULT(name) AVVIK__V1__FAULT_CODE__FAULT_CODE_##name

/* YAML text as a message. It fails the test when the text itself is faulty. */
ProtobufCMessage *support_message(
	const ProtobufCMessageDescriptor *type, const char *text, struct av_arena *arena);
#define DIRECTORY(text, arena) \
	((Avvik__V1__Directory *)support_message(&avvik__v1__directory__descriptor, text, arena))
#define RULES(text, arena) \
	((Avvik__V1__RulePack *)support_message(&avvik__v1__rule_pack__descriptor, text, arena))
#define REPORT(text, arena) \
	((Avvik__V1__FileReport *)support_message(&avvik__v1__file_report__descriptor, text, arena))
/* The files that are shipped. */
Avvik__V1__Directory *support_lindaker(struct av_arena *arena);
Avvik__V1__RulePack *support_rules(struct av_arena *arena);
Avvik__V1__RulePack *support_old_rules(struct av_arena *arena); /* until 2025-06-30 */

/* Exactly these faults, in any order: "code path|part of the text". Prints what there is otherwise. */
void support_assert_faults(const struct av_faults *faults, const char *const *want, size_t count);
#define assert_faults(faults, ...)                                        \
	support_assert_faults(faults, (const char *const[]){__VA_ARGS__}, \
		sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))
void support_assert_no_faults(const struct av_faults *faults);

av_day support_day(const char *text);
int64_t support_instant(const char *text);

/* state: an arena, as cmocka's set-up and tear-down of each test. */
int support_start(void **state);
int support_stop(void **state);
#define support_test(function) cmocka_unit_test_setup_teardown(function, support_start, support_stop)

#endif

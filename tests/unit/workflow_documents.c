/* workflow_documents.c - docs/case-tables.md says what the tables say */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "workflow.h"

static char *read_all(const char *path)
{
	FILE *file = fopen(path, "rb");
	char *text = NULL;
	long size;

	if (!file)
		fail_msg("%s cannot be read", path);
	fseek(file, 0, SEEK_END);
	size = ftell(file);
	rewind(file);
	text = calloc(1, (size_t)size + 1);
	assert_non_null(text);
	assert_int_equal(fread(text, 1, (size_t)size, file), size);
	fclose(file);
	return text;
}

static void the_document_holds_the_tables_as_they_are(void **state)
{
	char *document = read_all(CASE_TABLES), *want = NULL, *at;
	size_t want_size = 0;
	FILE *stream = open_memstream(&want, &want_size);

	(void)state;
	assert_non_null(stream);
	workflow_describe(stream);
	fclose(stream);
	at = strstr(document, "## Lex Sarah");
	if (!at || strcmp(at, want) != 0)
		fail_msg("docs/case-tables.md differs from the tables; from \"## Lex Sarah\" it should "
			 "be:\n%s",
			want);
	free(document);
	free(want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(the_document_holds_the_tables_as_they_are)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

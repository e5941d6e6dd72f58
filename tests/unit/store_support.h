/* store_support.h - the shared ground of the tests of seal and store. */
#ifndef AVVIK_TESTS_STORE_SUPPORT_H
#define AVVIK_TESTS_STORE_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/macros.h"
#include "base/status.h"
#include "store/store.h"

/* Shows statuses by name. */
#define assert_status(got, want) assert_string_equal(av_status_name(got), av_status_name(want))

enum { TABLE_PLAIN = AV_TABLE_OWN, TABLE_FACTS, TABLE_GROWING };

/* A new folder under $TMPDIR, removed with its contents at the end of the program. */
const char *test_folder(void **state);
int test_folder_make(void **state);
int test_folder_remove(void **state);
/* `name` in the test's folder; lives as long as it. */
const char *in_folder(void **state, const char *name);
void remove_tree(const char *path);

struct av_store_options test_options(const char *path);
struct av_store *must_open(const struct av_store_options *options);
/* Opens, expecting to be refused. Answers the sentence. */
const char *must_refuse(const struct av_store_options *options, int want);
struct av_txn *must_write(struct av_store *store);
struct av_txn *must_read(struct av_store *store);
void must_commit(struct av_txn **txn);
uint64_t append(struct av_store *store, const char *event);

/* Whole files. The caller frees. */
unsigned char *read_whole(const char *file, size_t *ret_size);
void write_whole(const char *file, const void *data, size_t size);
void copy_tree(const char *from, const char *to);
/* One number for the names, sizes and bytes of all files below; it changes with any of them. */
uint64_t tree_print(const char *path);

#endif

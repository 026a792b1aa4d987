/* SPDX-License-Identifier: MIT */
/* libFuzzer: any bytes are parsed or refused, and every tree can be walked to its leaves. */
#include "policy/toml.h"
#include "fuzz_tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct toml_document *document = NULL;
	struct toml_error err = {0};

	if (toml_parse((const char *)data, size, &document, &err) == 0) {
		fuzz_walk(toml_root(document), 0);
		toml_free(document);
	} else {
		fuzz_check_error(&err, (const char *)data, size);
	}
	return 0;
}

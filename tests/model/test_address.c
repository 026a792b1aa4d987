/* SPDX-License-Identifier: MIT */
/* Addresses of rules: what parses, and what matches. */
#include <arpa/inet.h>
#include "model/address.h"
#include "tap.h"

static struct rv_ip ip_of(const char *text)
{
	uint8_t bytes[16];

	if (inet_pton(AF_INET, text, bytes) == 1)
		return rv_ip_from_v4(bytes);
	CHECK(inet_pton(AF_INET6, text, bytes) == 1);
	return rv_ip_from_v6(bytes);
}

static void what_parses(void)
{
	static const char *const good[] = {"any", "public", "private", "loopback", "10.0.0.0/8",
		"0.0.0.0/0", "192.0.2.1", "192.0.2.1/32", "192.0.2.128/25", "2001:db8::/32", "::/0",
		"::1", "2001:db8::1/128", "::ffff:10.0.0.0/104", "fe80::/10"};
	static const char *const bad[] = {"", "/", "/8", "Any", "publicly", "10.0.0.0/",
		"10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/-1", "10.0.0.0/ 8", "10.0.0.0/8/8",
		"10.0.0.1/8", "10.0.0", "010.0.0.0", "10.0.0.0.0", "2001:db8::/129",
		"2001:db8::1/32", "[::1]", "::1%lo", "fe80::1/10", "example.org", "*",
		"10.0.0.0/99999999999", " 10.0.0.1", "127.1",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999"};
	struct rv_address address;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct reeve_error err = {0};

		if (rv_address_parse(good[i], &address, &err) != 0)
			printf("# %s: %s\n", good[i], err.message);
		CHECK_EQ(rv_address_parse(good[i], &address, &err), 0);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct reeve_error err = {0};

		if (rv_address_parse(bad[i], &address, &err) == 0)
			printf("# %s parsed\n", bad[i]);
		CHECK_EQ(rv_address_parse(bad[i], &address, &err), -EINVAL);
		CHECK_EQ(err.code, -EINVAL);
		CHECK(strlen(err.message) > 0);
	}
}

static void host_bits_are_named(void)
{
	struct rv_address address = {.prefix = 77};
	struct reeve_error err;

	CHECK_EQ(rv_address_parse("10.1.2.3/8", &address, &err), -EINVAL);
	CHECK(strstr(err.message, "10.1.2.3/8") && strstr(err.message, "8"));
	CHECK(strstr(err.hint, "\"10.0.0.0/8\""));
	CHECK_EQ(rv_address_parse("2001:db8:8000::/33", &address, &err), 0);
	CHECK_EQ(rv_address_parse("2001:db8:c000::/33", &address, &err), -EINVAL);
	CHECK(strstr(err.hint, "\"2001:db8:8000::/33\""));
	CHECK_EQ(address.prefix, 33);
}

static void what_matches(void)
{
	static const struct {
		const char *rule, *ip;
		bool matches;
	} cases[] = {
		{"10.0.0.0/8", "10.255.0.1", true},
		{"10.0.0.0/8", "11.0.0.0", false},
		{"10.0.0.0/8", "9.255.255.255", false},
		{"192.0.2.128/25", "192.0.2.127", false},
		{"192.0.2.128/25", "192.0.2.128", true},
		{"192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"0.0.0.0/0", "8.8.8.8", true},
		{"0.0.0.0/0", "2001:db8::1", false},
		/* What an address is, not how it is written. */
		{"10.0.0.0/8", "::ffff:10.1.1.1", true},
		{"::ffff:10.0.0.0/104", "10.1.1.1", true},
		{"::/0", "::ffff:10.1.1.1", false},
		{"::/0", "2001:db8::1", true},
		{"10.0.0.0/8", "64:ff9b::10.0.0.1", false},
		{"2001:db8::/32", "2001:db8:ffff::1", true},
		{"2001:db8::/32", "2001:db9::", false},
		{"::1", "::1", true},
		{"any", "::1", true},
		{"any", "0.0.0.0", true},
		{"loopback", "127.255.255.254", true},
		{"loopback", "128.0.0.1", false},
		{"loopback", "::1", true},
		{"loopback", "::2", false},
		{"loopback", "::ffff:127.0.0.1", true},
		{"private", "10.0.0.1", true},
		{"private", "172.15.255.255", false},
		{"private", "172.16.0.0", true},
		{"private", "172.31.255.255", true},
		{"private", "172.32.0.0", false},
		{"private", "192.168.0.1", true},
		{"private", "fd00::1", true},
		{"private", "fe80::1", false},
		{"private", "169.254.169.254", false},
		{"private", "100.64.0.1", false},
		{"private", "127.0.0.1", false},
		{"private", "8.8.8.8", false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rv_ip ip = ip_of(cases[i].ip);
		struct rv_address address;

		CHECK_EQ(rv_address_parse(cases[i].rule, &address, NULL), 0);
		if (rv_address_match(&address, &ip, false) != cases[i].matches)
			printf("# %s against %s\n", cases[i].rule, cases[i].ip);
		CHECK_EQ(rv_address_match(&address, &ip, false), cases[i].matches);
	}
}

static void public_is_only_that(void)
{
	static const char *const is[] = {"8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.0",
		"172.15.0.1", "172.32.0.1", "169.253.0.1", "192.0.1.1", "198.17.0.1", "198.20.0.1",
		"223.255.255.255", "2606:4700::1111", "2a00::1", "2001:4860:4860::8888",
		"64:ff9b::8.8.8.8", "2002:808:808::1", "::ffff:8.8.8.8"};
	static const char *const is_not[] = {"0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1",
		"100.127.255.255", "127.0.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255",
		"192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1",
		"198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255",
		"240.0.0.1", "255.255.255.255", "::", "::1", "::2", "::8.8.8.8", "fe80::1",
		"fec0::1", "fc00::1", "fd12::1", "ff02::1", "2001:db8::1", "2001::1", "2001:10::1",
		"3fff::1", "100::1", "64:ff9b::10.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b:1::1",
		"2002:a00:1::1", "2002:7f00:1::1", "2002:a9fe:a9fe::1", "::ffff:10.0.0.1",
		"::ffff:127.0.0.1", "::ffff:169.254.169.254"};
	struct rv_address address;

	CHECK_EQ(rv_address_parse("public", &address, NULL), 0);
	for (size_t i = 0; i < sizeof(is) / sizeof(is[0]); i++) {
		struct rv_ip ip = ip_of(is[i]);

		if (!rv_address_match(&address, &ip, false))
			printf("# %s is public\n", is[i]);
		CHECK(rv_address_match(&address, &ip, false));
	}
	for (size_t i = 0; i < sizeof(is_not) / sizeof(is_not[0]); i++) {
		struct rv_ip ip = ip_of(is_not[i]);

		if (rv_address_match(&address, &ip, false))
			printf("# %s is not public\n", is_not[i]);
		CHECK(!rv_address_match(&address, &ip, false));
	}
}

/* Connecting to 0.0.0.0 reaches this host; binding to it opens every interface. */
static void unspecified(void)
{
	struct rv_ip v4 = ip_of("0.0.0.0"), v6 = ip_of("::");
	struct rv_address loopback, any, all;

	CHECK_EQ(rv_address_parse("loopback", &loopback, NULL), 0);
	CHECK_EQ(rv_address_parse("any", &any, NULL), 0);
	CHECK_EQ(rv_address_parse("0.0.0.0/0", &all, NULL), 0);
	CHECK(rv_address_match(&loopback, &v4, false) && rv_address_match(&loopback, &v6, false));
	CHECK(!rv_address_match(&loopback, &v4, true) && !rv_address_match(&loopback, &v6, true));
	CHECK(rv_address_match(&any, &v4, true) && rv_address_match(&any, &v6, true));
	CHECK(rv_address_match(&all, &v4, true) && !rv_address_match(&all, &v6, true));
}

int main(void)
{
	static const struct tap_case cases[] = {
		{"what parses and what does not", what_parses},
		{"bits beyond the prefix are an error with a way out", host_bits_are_named},
		{"what matches", what_matches},
		{"public is what is neither special nor wraps it", public_is_only_that},
		{"0.0.0.0 and :: are this host, or every interface", unspecified},
	};

	return tap_run(cases, sizeof(cases) / sizeof(cases[0]));
}

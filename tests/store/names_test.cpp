#include <catch2/catch.hpp>

#include "base/error.h"
#include "store/open.h"
#include "store/store.h"
#include "store/target.h"

namespace rota::store {

TEST_CASE("object names are plain path components", "[store]") {
  for (const std::string good :
       {"a", "A/b/0", "a.b", "a..b", "a.", "-", "_/-x", "20260104T030000Z/v.7"}) {
    INFO(good);
    CHECK(is_name(good));
    CHECK_NOTHROW(check_name(good));
  }
  CHECK(is_name(std::string(512, 'a')));
  CHECK_FALSE(is_name(std::string(513, 'a')));
  for (const std::string bad :
       {"", "/", "a/", "/a", "a//b", ".", "a/.", "a/..", ".a", "a b", "a+b"}) {
    INFO(bad);
    CHECK_FALSE(is_name(bad));
    CHECK_THROWS_AS(check_name(bad), base::Error);
  }
  CHECK_THROWS_WITH(check_name("a\x1b[2J"), Catch::Contains("\\x1B") || Catch::Contains("\\x1b"));
}

TEST_CASE("object hashes are those of the stores", "[store]") {
  const auto abc = base::as_bytes("abc");
  CHECK(object_hash(HashKind::none, abc).empty());
  CHECK(object_hash(HashKind::sha1, abc) ==
        "a9993e364706816aba3e25717850c26c9cd0d89d");                             // RFC 3174
  CHECK(object_hash(HashKind::md5, abc) == "900150983cd24fb0d6963f7d28e17f72");  // RFC 1321
  CHECK(object_hash(HashKind::md5, {}) == "d41d8cd98f00b204e9800998ecf8427e");
  CHECK(hash_name(HashKind::none).empty());
  CHECK(hash_name(HashKind::sha1) == "sha1");
  CHECK(hash_name(HashKind::md5) == "md5");
}

TEST_CASE("a target opens as a directory or is explained", "[store]") {
  CHECK(open_store({.target = "/srv/backup"})->description() == "file:///srv/backup");
  CHECK(open_store({.target = "/srv/backup//"})->description() == "file:///srv/backup");
  CHECK(open_store({.target = "file:///srv/my backup"})->description() == "file:///srv/my backup");

  for (const std::string bad :
       {"", "srv/backup", "~/backup", "file://", "file:///", "/", "//", "file://host/backup",
        "file:/srv", "FILE:///srv", "http://example.org/"}) {
    INFO(bad);
    try {
      open_store({.target = bad});
      FAIL("opened");
    } catch (const base::Error& error) {
      CHECK(error.kind() == base::ErrorKind::config);
      CHECK_THAT(error.what(), Catch::Contains("'" + bad + "'"));
      CHECK_THAT(error.what(), Catch::Contains("file:///srv/backup"));
    }
  }
  CHECK_THROWS_AS(open_store({.target = std::string("/srv\0x", 6)}), base::Error);
}

TEST_CASE("a bucket and a prefix are taken apart, or explained", "[store]") {
  const auto parse = [](const std::string& target) { return parse_bucket_target("b2", target); };
  CHECK(parse("b2://my-bucket").bucket == "my-bucket");
  CHECK(parse("b2://my-bucket").prefix.empty());
  CHECK(parse("b2://my-bucket/").description("b2") == "b2://my-bucket");
  CHECK(parse("b2://my-bucket/a/b//").prefix == "a/b/");
  CHECK(parse("b2://my-bucket/a/b").description("b2") == "b2://my-bucket/a/b");
  for (const std::string bad :
       {"b2://", "b2:///x", "b2://a b/x", "b2://bucket/a//b", "b2://bucket/..", "b2://bucket/.x",
        "b2://bucket/a b", "b2://\xc3\xa4\xc3\xb6\xc3\xbc"}) {
    INFO(bad);
    CHECK_THROWS_WITH(parse(bad), Catch::Contains("write b2://BUCKET or b2://BUCKET/PREFIX"));
  }
  CHECK_THROWS_WITH(parse("b2://id:hunter2@bucket"),
                    !Catch::Contains("hunter2") && Catch::Contains("`credentials`"));
}

TEST_CASE("a password in a target is not shown", "[store]") {
  for (const std::string target :
       {"sftp://anna:hunter2@host/dir", "sftp://anna:x/hunter2@host/dir",
        "sftp://anna:x@hunter2@host/dir", "sftp://anna:x:hunter2@host", "sftp://:hunter2@host"}) {
    INFO(target);
    CHECK_THROWS_WITH(open_store({.target = target}), !Catch::Contains("hunter2"));
  }
  for (const std::string target : {"b2://id:hunter2@bucket", "s3://id:hunter2@bucket",
                                   "anna:hunter2@host:/dir", "file://anna:hunter2@host/dir"}) {
    INFO(target);
    CHECK_THROWS_WITH(open_store({.target = target}),
                      !Catch::Contains("hunter2") && Catch::Contains("***@"));
  }
  CHECK_THROWS_WITH(open_store({.target = "ftp://anna@host:22/dir"}),
                    Catch::Contains("ftp://anna@host:22/dir"));
}

}  // namespace rota::store

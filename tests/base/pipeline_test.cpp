#include "base/pipeline.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <optional>
#include <thread>

#include "base/channel.h"
#include "base/error.h"
#include "base/kind_of.h"

using namespace rota::base;
using rota::test::message_of;

namespace {

Error failure(const char* text) { return Error(ErrorKind::io, text); }

}  // namespace

TEST_CASE("stages work together to the end", "[pipeline]") {
  Channel<int> numbers(2);
  Channel<int> squares(2);
  Pipeline pipeline;
  pipeline.on_failure([&] { numbers.abandon(); });
  pipeline.on_failure([&] { squares.abandon(); });
  pipeline.add([&] {
    for (int i = 1; i <= 100; ++i) numbers.send(i);
    numbers.close();
  });
  pipeline.add([&] {
    while (const auto n = numbers.receive()) squares.send(*n * *n);
    squares.close();
  });
  int sum = 0;
  pipeline.run([&] {
    while (const auto n = squares.receive()) sum += *n;
  });
  CHECK_NOTHROW(pipeline.join());
  CHECK(sum == 338350);
}

TEST_CASE("a failure in any stage ends all and is thrown by join", "[pipeline]") {
  const int broken = GENERATE(0, 1, 2);
  CAPTURE(broken);
  Channel<int> first(1);
  Channel<int> second(1);
  std::atomic<bool> committed{false};
  const auto fail_in = [&](int stage, int item) {
    if (stage == broken && item == 10) throw failure("stage broke");
  };
  const auto work = [&] {
    Pipeline pipeline;
    pipeline.on_failure([&] { first.abandon(); });
    pipeline.on_failure([&] { second.abandon(); });
    pipeline.add([&] {  // endless: only the failure can stop it
      for (int i = 0; first.send(i); ++i) fail_in(0, i);
    });
    pipeline.add([&] {
      while (const auto i = first.receive()) {
        fail_in(1, *i);
        if (!second.send(*i)) break;
      }
    });
    pipeline.run([&] {
      while (const auto i = second.receive()) fail_in(2, *i);
    });
    pipeline.join();
    committed = true;
  };
  CHECK(message_of(work) == "stage broke");
  CHECK_FALSE(committed);
}

TEST_CASE("of several failures the first is kept", "[pipeline]") {
  Channel<int> channel(1);
  Pipeline pipeline;
  pipeline.on_failure([&] { channel.abandon(); });
  pipeline.add([&] {
    if (!channel.receive()) throw failure("woken with nothing");
  });
  pipeline.run([] { throw failure("the cause"); });
  CHECK(message_of([&] { pipeline.join(); }) == "the cause");
}

TEST_CASE("what is no Error comes through too", "[pipeline]") {
  Pipeline pipeline;
  pipeline.add([] { throw std::bad_alloc(); });
  CHECK_THROWS_AS(pipeline.join(), std::bad_alloc);
}

TEST_CASE("a stage that is added after a failure finds its channels closed", "[pipeline]") {
  Channel<int> channel(1);
  Pipeline pipeline;
  pipeline.on_failure([&] { channel.abandon(); });
  pipeline.run([] { throw failure("early"); });
  std::atomic<bool> accepted{true};
  pipeline.add([&] { accepted = channel.send(1); });
  CHECK(message_of([&] { pipeline.join(); }) == "early");
  CHECK_FALSE(accepted);
}

TEST_CASE("a pipeline that is left without join wakes its stages and keeps silent", "[pipeline]") {
  Channel<int> channel(1);
  std::optional<bool> more;
  const auto owner = [&] {
    Pipeline pipeline;
    pipeline.on_failure([&] { channel.abandon(); });
    pipeline.add([&] { more = channel.receive().has_value(); });
    pipeline.add([] { throw failure("of a stage, nobody asks"); });
    throw failure("of the owner");
  };
  CHECK(message_of(owner) == "of the owner");
  CHECK(more == false);  // the stage has ended: the destructor joined it
}

TEST_CASE("a pipeline without stages joins at once", "[pipeline]") {
  Pipeline pipeline;
  CHECK_NOTHROW(pipeline.join());
}

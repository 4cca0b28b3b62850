//! The article's machines and the example's, at the widths that people have.

use super::{CapacityAnswer, render_capacity};
use crate::capacity::{MachineCapacity, assess, findings};
use crate::fleet::Fleet;
use crate::testing;

fn shown(fleet: &Fleet, machines: &[&str], width: u16) -> String {
    let machines: Vec<MachineCapacity> =
        machines.iter().map(|name| assess(fleet, fleet.machines.get(name).expect("a machine"), None)).collect();
    let findings = findings(fleet);
    render_capacity(&CapacityAnswer { fleet, machines: &machines, findings: &findings }, width, false)
}

fn article() -> Fleet {
    testing::sound(include_str!("../../../tests/fixtures/fleets/article.toml"))
}

#[test]
fn the_articles_studio_at_80() {
    insta::assert_snapshot!(shown(&article(), &["mac-studio1"], 80), @r"
    does not fit: mac-studio1 (no room for moe-plain, dense-direct: 3 names take
                103.9 GiB of 77.8 GiB)
    contexts do not fit: mac-studio1 (5.1 GiB too much)

    mac-studio1  M3 Ultra, 96.0 GiB RAM, oMLX 0.3.8
    limit 77.8 GiB: what the GPU may wire (macOS's default, estimated); what oMLX
          allows its models is 79.2 GiB, what oMLX allows its process is 88.0 GiB
    numbers: size declared, shape by the catalogue

    baseline: the residents fit, their contexts do not
    ████████████████████████████████████████████████████████████▓▒▒▒▒▒▒░░░░░░░┃░░░░░
    █ weights 63.0 GiB  ▓ drafts 952 MiB  ▒ caches 6.9 GiB  ░ scratch 12.0 GiB
    behind ┃ too much: 5.1 GiB
    headroom: load 13.8 GiB (the limit without weights and drafts), context −5.1 GiB
              (that without caches and scratch), system not asked
      help: dense-thinking declares 65536 tokens and can have 39680; lower
            max_context_window or concurrency, keep fewer names resident, or raise
            gpu_limit

    RESIDENT         WEIGHTS    DRAFT  KV+STATE   SCRATCH    CONTEXT  LARGEST
    moe-dflash      36.0 GiB  952 MiB   2.7 GiB   4.0 GiB  4 × 32768    68864
    dense-thinking  27.0 GiB        -   4.1 GiB  12.0 GiB      65536    39680

    ON DEMAND        TAKES  LOADS    CONTEXT  LARGEST  EVICTS
    moe-plain     37.8 GiB  no room    32768        -  -
    dense-direct  28.3 GiB  no room    65536        -  -
    alternate: moe-dflash, moe-plain, dense-thinking do not fit together: 103.9 GiB
               of 77.8 GiB; moe-plain can load only in the place of moe-dflash or
               dense-thinking. To load: moe-dflash 36.9 GiB (about 59 s), moe-plain
               36.0 GiB (about 58 s), dense-thinking 27.0 GiB (about 43 s)
    alternate: moe-dflash, dense-thinking, dense-direct do not fit together:
               94.5 GiB of 77.8 GiB; dense-direct can load only in the place of
               moe-dflash or dense-thinking. To load: moe-dflash 36.9 GiB (about
               59 s), dense-thinking 27.0 GiB (about 43 s), dense-direct 27.0 GiB
               (about 43 s)

    resident-twin: moe-dflash and moe-plain are two copies of moe-35b: both beside
                dense-thinking take 103.9 GiB of 77.8 GiB (macOS's own GPU limit,
                estimated), so they can only alternate, and each change loads
                36.0 GiB (about 58 s); without dense-thinking both fit and leave
                4.8 GiB for their contexts
      help: use one profile for both, let windows decide which of them is resident,
            or serve one on another machine
    resident-twin: dense-thinking and dense-direct are two copies of dense-27b: both
                beside moe-dflash take 94.5 GiB of 77.8 GiB (macOS's own GPU limit,
                estimated), so they can only alternate, and each change loads
                27.0 GiB (about 43 s); without moe-dflash both fit and leave
                23.8 GiB for their contexts
      help: use one profile for both, let windows decide which of them is resident,
            or serve one on another machine
    one-load-suffices: dense-thinking and dense-direct are the same weights and
                differ only in enable_thinking, which a request can say itself
      help: serve them under one name and let the requests differ (thinking:
            chat_template_kwargs.enable_thinking); it saves 27.0 GiB
    dflash-concurrency: moe-dflash reserves for 4 requests at once, and the DFlash
                engine of oMLX 0.3.8 serves one at a time
      help: serve batched work under a name whose profile has DFlash off, or leave
            concurrency at 1
    speculative-expectation: 245 tok/s is 97 % of the plain bound of 252 tok/s,
                which plain decoding does not reach: it takes 5.0 accepted tokens a
                step at 49 steps/s

    TAKES is 1.05 × the weights, oMLX's own count, which decides what loads. CONTEXT
    and LARGEST are tokens: what is declared (or oMLX's default), and the most that
    one request can have while all else is at rest.
    ");
}

#[test]
fn the_articles_studio_at_160() {
    insta::assert_snapshot!(shown(&article(), &["mac-studio1"], 160), @r"
    does not fit: mac-studio1 (no room for moe-plain, dense-direct: 3 names take 103.9 GiB of 77.8 GiB)
    contexts do not fit: mac-studio1 (5.1 GiB too much)

    mac-studio1  M3 Ultra, 96.0 GiB RAM, oMLX 0.3.8
    limit 77.8 GiB: what the GPU may wire (macOS's default, estimated); what oMLX allows its models is 79.2 GiB, what oMLX allows its process is 88.0 GiB
    numbers: size declared, shape by the catalogue

    baseline: the residents fit, their contexts do not
    ███████████████████████████████████████████████████████████████████████████▓▒▒▒▒▒▒▒▒░░░░░░░░┃░░░░░░░
    █ weights 63.0 GiB  ▓ drafts 952 MiB  ▒ caches 6.9 GiB  ░ scratch 12.0 GiB  behind ┃ too much: 5.1 GiB
    headroom: load 13.8 GiB (the limit without weights and drafts), context −5.1 GiB (that without caches and scratch), system not asked
      help: dense-thinking declares 65536 tokens and can have 39680; lower max_context_window or concurrency, keep fewer names resident, or raise gpu_limit

    RESIDENT         WEIGHTS    DRAFT  KV CACHE    STATE   SCRATCH    CONTEXT  LARGEST  SHAPE BY
    moe-dflash      36.0 GiB  952 MiB   2.5 GiB  246 MiB   4.0 GiB  4 × 32768    68864  catalogue
    dense-thinking  27.0 GiB        -   4.0 GiB  147 MiB  12.0 GiB      65536    39680  catalogue

    ON DEMAND        TAKES  LOADS    CONTEXT  LARGEST  EVICTS
    moe-plain     37.8 GiB  no room    32768        -  -
    dense-direct  28.3 GiB  no room    65536        -  -
    alternate: moe-dflash, moe-plain, dense-thinking do not fit together: 103.9 GiB of 77.8 GiB; moe-plain can load only in the place of moe-dflash or
               dense-thinking. To load: moe-dflash 36.9 GiB (about 59 s), moe-plain 36.0 GiB (about 58 s), dense-thinking 27.0 GiB (about 43 s)
    alternate: moe-dflash, dense-thinking, dense-direct do not fit together: 94.5 GiB of 77.8 GiB; dense-direct can load only in the place of moe-dflash or
               dense-thinking. To load: moe-dflash 36.9 GiB (about 59 s), dense-thinking 27.0 GiB (about 43 s), dense-direct 27.0 GiB (about 43 s)

    resident-twin: moe-dflash and moe-plain are two copies of moe-35b: both beside dense-thinking take 103.9 GiB of 77.8 GiB (macOS's own GPU limit, estimated), so
                they can only alternate, and each change loads 36.0 GiB (about 58 s); without dense-thinking both fit and leave 4.8 GiB for their contexts
      help: use one profile for both, let windows decide which of them is resident, or serve one on another machine
    resident-twin: dense-thinking and dense-direct are two copies of dense-27b: both beside moe-dflash take 94.5 GiB of 77.8 GiB (macOS's own GPU limit, estimated),
                so they can only alternate, and each change loads 27.0 GiB (about 43 s); without moe-dflash both fit and leave 23.8 GiB for their contexts
      help: use one profile for both, let windows decide which of them is resident, or serve one on another machine
    one-load-suffices: dense-thinking and dense-direct are the same weights and differ only in enable_thinking, which a request can say itself
      help: serve them under one name and let the requests differ (thinking: chat_template_kwargs.enable_thinking); it saves 27.0 GiB
    dflash-concurrency: moe-dflash reserves for 4 requests at once, and the DFlash engine of oMLX 0.3.8 serves one at a time
      help: serve batched work under a name whose profile has DFlash off, or leave concurrency at 1
    speculative-expectation: 245 tok/s is 97 % of the plain bound of 252 tok/s, which plain decoding does not reach: it takes 5.0 accepted tokens a step at 49
                steps/s

    TAKES is 1.05 × the weights, oMLX's own count, which decides what loads. CONTEXT and LARGEST are tokens: what is declared (or oMLX's default), and the most that
    one request can have while all else is at rest.
    ");
}

#[test]
fn the_example_at_100() {
    insta::assert_snapshot!(shown(&testing::example(), &["mac-studio1", "mac-mini1"], 100), @r"
    fits: 2 machines; names alternate on mac-studio1

    mac-studio1  M3 Ultra, 96.0 GiB RAM, oMLX 0.3.8
    limit 79.2 GiB: what oMLX allows its models; what oMLX allows its process is 88.0 GiB, what the GPU
          may wire (declared) is 84.0 GiB
    numbers: size declared, shape by the catalogue

    baseline: fits
    █████████████████████████████████████████████▓▒░░··················································┃
    █ weights 36.0 GiB  ▓ drafts 952 MiB  ▒ caches 381 MiB  ░ scratch 2.0 GiB  · free 39.9 GiB
    headroom: load 42.3 GiB (the limit without weights and drafts), context 39.9 GiB (that without
              caches and scratch), system not asked

    RESIDENT     WEIGHTS    DRAFT  KV+STATE  SCRATCH  CONTEXT  LARGEST
    moe-dflash  36.0 GiB  952 MiB   381 MiB  2.0 GiB    16384   262144

    ON DEMAND          TAKES  LOADS            CONTEXT  LARGEST  EVICTS
    moe-batched     37.8 GiB  yes, about 58 s    32768    15360  dense-thinking
    dense-thinking  28.3 GiB  yes, about 43 s    32768    45312  moe-batched
    embed-arctic     630 MiB  yes, about 1 s      8192        -  -
    alternate: moe-batched, dense-thinking do not fit together: 103.9 GiB of 79.2 GiB, with what else is
               resident; one of them is always out. To load: moe-batched 36.0 GiB (about 58 s),
               dense-thinking 27.0 GiB (about 43 s)

    window night: fits
    ██████████████████████████████████████████████████████████████████████████████▒▒▒▒░░░░░░░··········┃
    █ weights 63.0 GiB  ▒ caches 2.8 GiB  ░ scratch 6.0 GiB  · free 7.4 GiB
    headroom: load 16.2 GiB (the limit without weights and drafts), context 7.4 GiB (that without caches
              and scratch), system not asked

    RESIDENT         WEIGHTS  DRAFT  KV+STATE  SCRATCH  CONTEXT  LARGEST
    moe-batched     36.0 GiB      -   701 MiB  4.0 GiB    32768    85248
    dense-thinking  27.0 GiB      -   2.1 GiB  6.0 GiB    32768    49152

    ON DEMAND        TAKES  LOADS           CONTEXT  LARGEST  EVICTS
    moe-dflash    37.8 GiB  no room           16384        -  -
    embed-arctic   630 MiB  yes, about 1 s     8192        -  -
    alternate: moe-dflash, moe-batched, dense-thinking do not fit together: 103.9 GiB of 79.2 GiB;
               moe-dflash can load only in the place of moe-batched or dense-thinking. To load:
               moe-dflash 36.9 GiB (about 59 s), moe-batched 36.0 GiB (about 58 s), dense-thinking
               27.0 GiB (about 43 s)

    speculative-expectation: 245 tok/s is 97 % of the plain bound of 252 tok/s, which plain decoding
                does not reach: it takes 5.0 accepted tokens a step at 49 steps/s

    mac-mini1  M4, 16.0 GiB RAM, oMLX 0.3.8
    limit 11.5 GiB: what oMLX allows its models; what oMLX allows its process is 12.8 GiB, what the GPU
          may wire (macOS's default, estimated) is 11.8 GiB
    numbers: size declared, shape by the catalogue

    baseline: fits
    ██████████████████▒░░░░░···········································································┃
    █ weights 2.2 GiB  ▒ caches 115 MiB  ░ scratch 512 MiB  · free 8.7 GiB
    headroom: load 9.3 GiB (the limit without weights and drafts), context 8.7 GiB (that without caches
              and scratch), system not asked

    RESIDENT      WEIGHTS  DRAFT  KV+STATE  SCRATCH  CONTEXT  LARGEST
    extract-2b    1.6 GiB      -   115 MiB  512 MiB     8192   120576
    embed-arctic  600 MiB      -         -    8 MiB     8192        -

    unpublished-model: no model of the name of Qwen3.6-2B-MLX-4bit is published; it is taken for
                Qwen3.5-2B
      help: capacity --measured reads the machine's own config.json

    TAKES is 1.05 × the weights, oMLX's own count, which decides what loads. CONTEXT and LARGEST are
    tokens: what is declared (or oMLX's default), and the most that one request can have while all else
    is at rest.
    ");
}

#[test]
fn a_narrow_terminal_is_not_overrun() {
    for width in [80, 100, 160] {
        let text = shown(&article(), &["mac-studio1", "mac-mini3", "mac-mini1"], width);
        assert!(text.lines().all(|line| line.chars().count() <= usize::from(width)), "{width}:\n{text}");
    }
}

/// The lines before the first machine.
fn verdict(fleet: &Fleet, width: u16) -> String {
    let names: Vec<&str> = fleet.machines.iter().map(|machine| machine.name.as_str()).collect();
    shown(fleet, &names, width).split("\n\n").next().expect("a headline").to_owned()
}

#[test]
fn it_begins_with_the_answer() {
    let example = include_str!("../../../fleet.toml");
    let sound = |text: &str| verdict(&testing::sound(text), 100);
    insta::assert_snapshot!(sound(example), @"fits: 4 machines; names alternate on mac-studio1");
    insta::assert_snapshot!(verdict(&article(), 80), @r"
    does not fit: mac-studio1 (no room for moe-plain, dense-direct: 3 names take
                103.9 GiB of 77.8 GiB)
    contexts do not fit: mac-studio1 (5.1 GiB too much)
    ");
    insta::assert_snapshot!(sound(&example.replace("gpu_limit = \"84GB\"", "gpu_limit = \"60GB\"")), @"does not fit: mac-studio1 (2 residents take 66.1 GiB of 60.0 GiB in window night)");
    insta::assert_snapshot!(sound(&example.replace("max_context_window = 32768", "max_context_window = 262144")), @"fits, but contexts do not: mac-studio1 (53.0 GiB too much in window night)");
}

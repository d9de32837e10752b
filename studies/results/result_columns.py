"""Declares the columns of `results.csv` and `curves.csv`, each with name, unit and meaning.

The reference page of the documentation is made from these tables, and a test checks that they
declare every column of real rows.
"""

from dataclasses import dataclass
from functools import partial

from studies.declaration.trial import SWEEP_PREFIX


@dataclass(frozen=True)
class ResultColumn:
    """Describes one column, or one for each crossbar or layer.

    Attributes:
        name: the heading in the table, without the number of the crossbar or layer.
        unit: the unit of the values; empty for text, ``1`` for shares and counts without a unit.
        meaning: what the values mean, in a few words.
        numbered: `crossbar` (first at 1), `layer` (input at 0), or empty. A numbered column whose
            name ends in ``_total`` also exists without a number, as the sum over the crossbars.
    """

    name: str
    unit: str
    meaning: str
    numbered: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Returns the names as they appear in the table, with N in place of the number."""
        if not self.numbered:
            return (self.name,)
        one = f"{self.name}_N"
        return (self.name, one) if self.name.endswith("_total") else (one,)


_Column = ResultColumn
_of_crossbar = partial(ResultColumn, numbered="crossbar")
_of_layer = partial(ResultColumn, numbered="layer")


def _text(name: str, meaning: str) -> ResultColumn:
    """Makes a column of text, which has no unit."""
    return ResultColumn(name, "", meaning)


RESULT_COLUMNS: tuple[ResultColumn, ...] = (
    _text("study", "name of the study"),
    _text("trial", "identity of the trial: a hash of all that determines its result"),
    _text("label", "the case"),
    _text(f"{SWEEP_PREFIX}PATH", "value of the swept setting PATH; empty if the case has none"),
    _text("dataset", "name of the data set"),
    _text("data_digest", "hash of the images used, their order and their split"),
    _text(
        "data_file",
        "file of the user's own data, or version of CIFAR-10; empty for other standard sets",
    ),
    _text("file_digest", "hash of that file (and of a test file) as it is on the disk"),
    _text("data_split", "where the test rows of own data come from"),
    _text("data_range", "values of own data that stand for no and for full rate"),
    _text("data_shape", "shape of one sample of own data, or slots x lines of recordings"),
    _text("input", "what the case sees of recorded spikes; empty where input is drawn"),
    _text("time", "order of the slots of recorded spikes: `kept`, or `shuffled` (a control)"),
    _text("bin", "length of a slot in the file's unit of time"),
    _Column("spikes_after_T", "1", "share of the training spikes that come after T, not shown"),
    _Column("n_train", "images", "training images used, without the validation images"),
    _Column("n_validation", "images", "training images held out for validation"),
    _Column("n_test", "images", "test images used"),
    _text("network", "neurons of each layer; `12c5/2` has 12 channels, kernel 5 and stride 2"),
    _Column("T", "slots", "how long an image is shown"),
    _Column("slots", "slots", "length of a presentation: T and the flush"),
    _Column("slot_cycles", "cycles", "cycles of a slot, to serve all positions of convolutions"),
    _Column("inference_T", "slots", "how long an image is shown at inference; empty: for T slots"),
    _text("circuit", "what is wrong with the neurons, as JSON; empty: they are perfect"),
    _text("update", "how weights change: `ann`, `rate`, `pulses`, `analog_sgd` or another rule's"),
    _text("device", "preset or cell; of measured jumps the folders and a digest of their numbers"),
    _text("overrides", "parameters that differ from the preset's, as JSON"),
    _text("tile", "settings of the tiles, as JSON"),
    _text("online", "settings of rules that learn image by image, as JSON; or empty"),
    _text("simulator", "what simulated the devices: a value of `tile.simulator`"),
    _text("beside_pulses", "what changes weights of a cell beside the pulses of coincidences"),
    _Column("learning_rate", "1", "hyperparameter: the equivalent step of backpropagation"),
    _Column("weight_range", "He deviations", "hyperparameter: the weight at device state 1"),
    _Column("seed", "", "seed of the run"),
    _Column("epochs", "epochs", "passes over the training images"),
    _Column("batch", "presentations", "presentations a batch"),
    _text("schedule", "when reads see changed weights: `slot`, `presentation` or `batch`"),
    _Column("decay", "1", "factor on the step after each epoch; empty where the shape is linear"),
    _text("decay_shape", "how the step falls: `geometric` or `linear`"),
    _Column("output_step", "1", "step of the output layer over that of the hidden layers"),
    _Column("test_accuracy", "%", "accuracy on the test images, read once, after training"),
    _Column("validation_accuracy", "%", "accuracy on the validation images, after training"),
    _Column("seconds", "s", "time of training and testing, up to the checkpoint if resumed"),
    _Column("peak_memory_mb", "MiB", "largest resident memory of the worker process"),
    _Column("pulses_per_device_mean", "pulses", "up plus down pulses a device during training"),
    _Column("saturated_fraction", "1", "share of devices at one of their bounds, at the test"),
    _Column("replayable", "", "whether the run repeats bit for bit: aihwkit's noise has no seed"),
    _Column("resumed", "1", "how often the run went on from a checkpoint; empty in old rows"),
    _of_crossbar("devices_total", "devices", "devices of the crossbars"),
    _of_crossbar("pulsed_devices_total", "devices", "devices of a cell that coincidences pulse"),
    _of_crossbar("pulses_up_total", "pulses", "up pulses during training"),
    _of_crossbar("pulses_down_total", "pulses", "down pulses during training"),
    _of_crossbar("coincidences_total", "coincidences", "coincidences that are summed digitally"),
    _of_crossbar("transfer_reads_total", "lines", "lines read by transfers of a cell"),
    _of_crossbar("transfer_pulses_at_most_total", "pulses", "most that transfers can have sent"),
    _of_crossbar("refresh_checks_total", "1", "how often all pairs were read for a refresh"),
    _of_crossbar("refreshed_weights_total", "weights", "one-sided pairs reset and written anew"),
    _of_crossbar("input_lines", "lines", "input lines of the crossbar"),
    _of_crossbar("output_lines", "lines", "its output lines, including those of all replicas"),
    _of_crossbar("positions", "1", "positions that the crossbar serves, 1 in a dense layer"),
    _of_crossbar("replicas", "1", "replicas of its kernel, 1 in a dense layer"),
    _of_crossbar("forward_reads_total", "reads", "forward reads in training, a position and slot"),
    _of_crossbar("forward_lines_total", "lines", "input lines that spike at them"),
    _of_crossbar("transposed_reads_total", "reads", "transposed reads, none of the first crossbar"),
    _of_crossbar("forward_spikes_total", "spikes", "forward spikes of the neurons above"),
    _of_crossbar("gradient_spikes_total", "spikes", "gradient spikes of both streams above"),
    _of_crossbar("write_spikes_total", "spikes", "gradient spikes that write a device"),
    _of_crossbar("write_phases_total", "1", "slots and positions that write, for each stream"),
    _of_crossbar("write_lines_total", "lines", "input lines that are driven in these phases"),
    _of_crossbar("inference_reads_total", "reads", "forward reads of the images shown last"),
    _of_crossbar("inference_lines_total", "lines", "input lines that spike at them"),
    _of_crossbar("inference_spikes_total", "spikes", "spikes of the neurons above"),
    _Column("inference_images", "images", "number of the images that were shown last"),
    _of_crossbar("pulses_p99", "pulses", "99th percentile over devices, up plus down"),
    _of_crossbar("pulses_max", "pulses", "pulses of the busiest device, up plus down"),
    _of_crossbar("saturated_total", "devices", "devices at one of their bounds, at the test"),
    _of_crossbar("initial_pulses_total", "pulses", "pulses of a pulsed start"),
    _of_crossbar("initial_clipped_total", "weights", "initial weights beyond the weight range"),
    _of_crossbar("leak_steps", "1", "how often a leak was applied to the weights"),
    _of_crossbar("disturb_steps", "steps", "how far half-select moved a device, mean, both ways"),
    _of_crossbar("read_disturb_steps", "steps", "how far reads moved a device, mean, both ways"),
    _of_crossbar("read_share", "1", "share of the read voltage that reaches a device, mean"),
    _of_crossbar("read_share_least", "1", "the same for the device that gets least"),
    _of_crossbar("write_share_least", "1", "the same for the programming voltage"),
    _of_crossbar("step_wanted", "threshold currents", "weight change a coincidence should make"),
    _of_crossbar("device_step", "threshold currents", "weight change of one device pulse, mean"),
    _of_crossbar("thinning", "1", "share of gradient spikes that pass, first epoch"),
    _of_crossbar("thinning_last", "1", "the same in the last epoch"),
    _of_crossbar("slot_s", "s", "length of a slot of devices that remember their pulses"),
    _of_crossbar("step_factor", "1", "mean step of all pulses over the step of isolated pulses"),
    _of_crossbar("charge_kept", "1", "share left of a charge from the start, storage included"),
    _text("settings", "the complete settings as JSON"),
    _Column("numerics_version", "", "version of the numerics: other versions give other numbers"),
    _text("rpu_ssnn_version", "version of this package"),
    _text("aihwkit_version", "version of aihwkit"),
    _text("torch_version", "version of torch"),
    _text("numpy_version", "version of numpy"),
    _text("numba_version", "version of numba"),
    _text("python_version", "version of Python"),
    _text("machine", "operating system and processor"),
    _Column("threads", "threads", "threads of the run, which change the time and no number"),
    _Column("pulses_up_per_device", "pulses", "up pulses a device, mean, training only"),
    _Column("pulses_down_per_device", "pulses", "down pulses a device, mean, training only"),
    _Column("pulses_per_device_p99", "pulses", "99th percentile, in the crossbar with the largest"),
    _Column("pulses_per_device_max", "pulses", "up plus down pulses of the busiest device"),
    _Column("energy_j", "J", "all pulses times `energy_per_pulse_j` of the preset: a lower bound"),
    _text("energy_blank_because", "why the energy is not known"),
    _Column("training_time_s", "s", "physical time: slots and `tile.idle_seconds` of all epochs"),
    _Column("endurance_used", "1", "full swings of the busiest device over `endurance_cycles`"),
    _text("endurance_blank_because", "why the wear is not known"),
)
"""`results.csv` and `results.parquet` have these columns, with one row per run.

`studies.results.ledger` has the formulas of the ledger's columns."""

CURVE_COLUMNS: tuple[ResultColumn, ...] = (
    _text("study", "name of the study"),
    _text("trial", "identity of the trial"),
    _text("label", "the case"),
    _text(f"{SWEEP_PREFIX}PATH", "value of the swept setting PATH"),
    _Column("seed", "", "seed of the run"),
    _Column("epoch", "", "number of the epoch, first at 0"),
    _Column("train_accuracy", "%", "accuracy on the training images while weights still change"),
    _Column("validation_accuracy", "%", "accuracy on the validation images, before any storage"),
    _Column("seconds", "s", "time of the epoch"),
    _of_layer("rates", "spikes a slot", "mean rate of a neuron of the layer"),
    _of_layer("forward_spikes", "spikes", "forward spikes of the layer a presentation"),
    _of_layer("gradient_spikes", "spikes", "the same of both gradient streams, hidden layers at 0"),
)
"""`curves.csv` has these columns, with one row per epoch of each run."""

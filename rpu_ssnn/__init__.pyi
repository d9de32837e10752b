from .common.errors import InputError as InputError
from .common.errors import RpuSsnnError as RpuSsnnError
from .data import Dataset as Dataset
from .data import load_dataset as load_dataset
from .data import save_dataset as save_dataset
from .engine.probes.trace import trace as trace
from .estimator import SpikingClassifier as SpikingClassifier
from .export import read_network as read_network
from .export import read_nir as read_nir
from .export import write_network as write_network
from .export import write_nir as write_nir
from .network import Network as Network
from .spec import (
    EncodingSpec as EncodingSpec,
)
from .spec import (
    GradientSpec as GradientSpec,
)
from .spec import (
    InhibitionSpec as InhibitionSpec,
)
from .spec import (
    NetworkSpec as NetworkSpec,
)
from .spec import (
    NeuronSpec as NeuronSpec,
)
from .spec import (
    TrainingSpec as TrainingSpec,
)
from .synapses import (
    Synapses as Synapses,
)
from .synapses import (
    SynapsesFactory as SynapsesFactory,
)
from .synapses import (
    coincidence_synapses as coincidence_synapses,
)
from .synapses import (
    rate_synapses as rate_synapses,
)
from .synapses.tile import tile_synapses as tile_synapses
from .tile_spec import TileSpec as TileSpec
from .training import Trained as Trained
from .training import train as train

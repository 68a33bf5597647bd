"""stages.py produce|consume CHUNKS SIZE: times the stages of a transfer in a real Kolibri, each by itself.

"produce" sends all that is new in the home into the file CHUNKS, a line for each SIZE records; "consume" takes it from
there into another home. Prints seconds of the processor by stage as JSON."""
import json
import sys
import time

from kolibri.main import initialize

initialize()

from django.utils import timezone
from morango.api.serializers import BufferSerializer
from morango.models import Buffer, DatabaseMaxCounter, SyncSession, TransferSession
from morango.models.certificates import Filter
from morango.sync import operations
from morango.sync.utils import validate_and_create_buffer_data

PROFILE = "facilitydata"
NOTHING = {"super": {}, "sub": {}}
took = {}


def timed(name, function, *args, **kwargs):
    begun = time.process_time()
    result = function(*args, **kwargs)
    took[name] = took.get(name, 0) + time.process_time() - begun
    return result


def transfer(dataset, client_fsic):
    now = {"start_timestamp": timezone.now(), "last_activity_timestamp": timezone.now(), "active": True}
    sync = SyncSession.objects.create(id="1" * 32, profile=PROFILE, **now)
    return TransferSession.objects.create(
        id="2" * 32, sync_session=sync, push=True, filter=dataset, client_fsic=json.dumps(client_fsic), server_fsic=json.dumps(NOTHING), **now
    )


def produce(path, size):
    from kolibri.core.auth.models import FacilityDataset

    dataset = FacilityDataset.objects.get().id
    timed("serialize", operations._serialize_into_store, PROFILE, filter=Filter(dataset))
    counters = DatabaseMaxCounter.calculate_filter_specific_instance_counters(Filter(dataset), is_producer=True, v2_format=True)
    session = transfer(dataset, counters)
    timed("queue", operations._queue_into_buffer_v2, session)
    records = Buffer.objects.filter(transfer_session=session).order_by("pk")

    def read(at):
        return json.dumps(BufferSerializer(records[at : at + size], many=True).data)

    with open(path, "w") as file:
        file.write(json.dumps([dataset, counters, records.count()]) + "\n")
        for at in range(0, records.count(), size):
            file.write(timed("read", read, at) + "\n")


def consume(path, size):
    with open(path) as file:
        dataset, counters, _ = json.loads(next(file))
        session = transfer(dataset, counters)
        for line in file:
            timed("buffer", lambda: validate_and_create_buffer_data(json.loads(line), session))
    timed("dequeue", operations._dequeue_into_store, session, json.dumps(counters), v2_format=True)
    timed("deserialize", operations._deserialize_from_store, PROFILE, filter=Filter(dataset))


{"produce": produce, "consume": consume}[sys.argv[1]](sys.argv[2], int(sys.argv[3]))
print(json.dumps(took))

"""crowd-kit's layers for `speed.py`: PyTorch's, on answers in long form."""

import torch


def torch_classifier(network, num_classes):
    """Two parts: features, and logits of classes."""
    nn = torch.nn
    if network == "mlp":
        return nn.Sequential(nn.Linear(512, 128), nn.ReLU()), nn.Linear(128, num_classes)
    pooled = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    convolutions = nn.Conv2d(1, 16, 3, stride=2), nn.ReLU(), nn.Conv2d(16, 32, 3, stride=2), nn.ReLU()
    return nn.Sequential(*convolutions, *pooled), nn.Linear(32, num_classes)


def torch_block(method, batch, size, options):
    """A function that trains for a block of steps on a batch: features, ids on slots, answers."""
    num_annotators, num_classes, num_slots = size
    x, ids, answers = (torch.from_numpy(array) for array in batch)
    x = x.movedim(-1, 1) if options.network == "conv" else x
    items = torch.arange(len(x)).repeat_interleave(num_slots)
    workers, targets = ids.long().flatten(), answers.flatten()
    features, head = torch_classifier(options.network, num_classes)
    crowd = torch.nn.Identity()
    if method != "alone, PyTorch":
        from crowdkit import learning

        cls = learning.CrowdLayer if method.endswith("MW") else learning.CoNAL
        crowd = cls(num_classes, num_annotators)
    with torch.no_grad():
        forward(method, features, head, crowd, x, items, workers)  # makes lazy parameters
    parameters = [p for part in (features, head, crowd) for p in part.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(parameters, 1e-3)
    nll = torch.nn.functional.nll_loss
    cross_entropy = torch.nn.functional.cross_entropy

    def block():
        for _ in range(options.steps):
            optimizer.zero_grad()
            z = forward(method, features, head, crowd, x, items, workers)
            if method.endswith("CoNAL"):
                loss = nll(torch.log(z + 1e-7), targets)
            else:
                loss = cross_entropy(z, answers[:, 0] if method == "alone, PyTorch" else targets)
            loss.backward()
            optimizer.step()

    return block


def forward(method, features, head, crowd, x, items, workers):
    h = features(x)
    z = head(h)
    if method == "alone, PyTorch":
        return z
    if method == "crowd-kit MW":
        return crowd(torch.softmax(z, dim=-1)[items], workers)
    return crowd(h[items], z[items], workers)

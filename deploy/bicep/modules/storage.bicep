// The five containers of the library, and one for what steps print.
param name string
param location string
param retentionDays int
param writerId string
param readerId string
param subnetId string
param zoneId string
param workspaceId string

var roles = loadJsonContent('../roles.json')

var containers = [
  'uploads'
  'batch'
  'cepstra'
  'soundtracks'
  'artworks'
]
var logsContainer = 'logs'

@description('What pages and callers are given links to.')
var linkedContainers = [
  'soundtracks'
  'artworks'
]
var undoDays = 7
// Restoring to a point in time needs what was deleted since, so that it ends a day before that does.
var restoreDays = undoDays - 1

resource account 'Microsoft.Storage/storageAccounts@2023-05-01' = {
  name: name
  location: location
  kind: 'StorageV2'
  sku: {
    name: 'Standard_ZRS'
  }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowSharedKeyAccess: false
    allowCrossTenantReplication: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: 'Disabled'
    networkAcls: {
      defaultAction: 'Deny'
      // Expiry is a service of Azure as well: a firewall without this exception may keep it out, and uploads would stay.
      bypass: 'AzureServices'
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2023-05-01' = {
  parent: account
  name: 'default'
  properties: {
    isVersioningEnabled: true
    changeFeed: {
      enabled: true
      retentionInDays: undoDays
    }
    restorePolicy: {
      enabled: true
      days: restoreDays
    }
    deleteRetentionPolicy: {
      enabled: true
      days: undoDays
    }
    containerDeleteRetentionPolicy: {
      enabled: true
      days: undoDays
    }
  }
}

resource library 'Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01' = [for container in containers: {
  parent: blobs
  name: container
  properties: {
    publicAccess: 'None'
  }
}]

resource logs 'Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01' = {
  parent: blobs
  name: logsContainer
  properties: {
    publicAccess: 'None'
  }
}

// A listener's music goes after the retention. What is deleted becomes a former version, which ends `undoDays` after the file
// was written, so mostly at the next day's look, and may be brought back for `undoDays` more. No rule deletes a file while
// it has former versions, so that both rules are needed.
var expiry = {
  name: 'expire-uploads'
  enabled: true
  type: 'Lifecycle'
  definition: {
    filters: {
      blobTypes: [
        'blockBlob'
      ]
      prefixMatch: [
        'uploads/'
        'batch/'
      ]
    }
    actions: {
      baseBlob: {
        delete: {
          // A rule is carried out within two days. A file that outlived its document would be answered again.
          daysAfterCreationGreaterThan: max(retentionDays - 2, 1)
        }
      }
    }
  }
}

// Nothing here moves soundtracks or features to a cooler tier: a listener plays them at any time, a new parameter reads all
// of them, and reading a cool gigabyte costs more than the half cent a month that keeping it there saves. Indexes are
// kept until `mfcc index prune`: which of them may go is not a question of age.
var housekeeping = [
  {
    name: 'end-old-versions'
    enabled: true
    type: 'Lifecycle'
    definition: {
      filters: {
        blobTypes: [
          'blockBlob'
        ]
      }
      actions: {
        version: {
          delete: {
            daysAfterCreationGreaterThan: undoDays
          }
        }
      }
    }
  }
  {
    name: 'expire-logs'
    enabled: true
    type: 'Lifecycle'
    definition: {
      filters: {
        blobTypes: [
          'blockBlob'
        ]
        prefixMatch: [
          '${logsContainer}/'
        ]
      }
      actions: {
        baseBlob: {
          delete: {
            daysAfterModificationGreaterThan: 30
          }
        }
      }
    }
  }
]

resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2023-05-01' = {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: concat(housekeeping, retentionDays > 0 ? [expiry] : [])
    }
  }
  dependsOn: [
    blobs
  ]
}

resource writes 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, writerId, roles.storageBlobDataContributor)
  scope: account
  properties: {
    principalId: writerId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageBlobDataContributor)
  }
}

resource reads 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (container, i) in containers: if (contains(linkedContainers, container)) {
  name: guid(library[i].id, readerId, roles.storageBlobDataReader)
  scope: library[i]
  properties: {
    principalId: readerId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageBlobDataReader)
  }
}]

// Links are signed by a key that is asked of the account; a link opens no more than its signer may read. Who writes to the
// whole account may ask for it anyway.
resource signs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, readerId, roles.storageBlobDelegator)
  scope: account
  properties: {
    principalId: readerId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageBlobDelegator)
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: blobs
  properties: {
    workspaceId: workspaceId
    // Reads are left out: sensors look all day.
    logs: [
      {
        category: 'StorageWrite'
        enabled: true
      }
      {
        category: 'StorageDelete'
        enabled: true
      }
    ]
    metrics: [
      {
        category: 'Transaction'
        enabled: true
      }
    ]
  }
}

module endpoint 'endpoint.bicep' = {
  name: 'storage-endpoint'
  params: {
    name: 'pe-${name}'
    location: location
    serviceId: account.id
    part: 'blob'
    subnetId: subnetId
    zoneId: zoneId
  }
}

output account string = account.name
output blobUrl string = account.properties.primaryEndpoints.blob
